"""Frozen normalization with the statistics of other data."""

from __future__ import annotations

import math

from keras_dlbasic.diagnosis import Finding, Fine, Run, Skipped, Verdict, rule, suggest
from keras_dlbasic.diagnosis.inference_gap import inference_of
from keras_dlbasic.diagnosis.symptoms import NOT_LEARNING
from keras_dlbasic.records.probe_facts import DriftFacts

SAME_SCALE = suggest.by_hand(
    "scale the inputs as they were scaled when the layers were trained, for example by "
    "`preprocess_input` of `keras.applications`",
    "the frozen statistics then fit the inputs",
)
THAW = suggest.by_hand(
    "set `trainable = True` on this layer and train, or call "
    "`kd.ensembles.recompute_statistics(model, x)` while it is trainable",
    "its statistics are then computed from your data",
)


@rule(kind="cause", explains=(*NOT_LEARNING, "overfitting"), needs=("network",))
def foreign_statistics(
    run: Run, *, deviations: float = 5.0, ratio: float = 100.0
) -> Verdict:
    """Compare frozen moving statistics with the inputs of the layers.

    A frozen normalization layer uses its moving statistics in training too. If they
    come from data of another scale, its outputs are far from zero, or nearly constant.

    Args:
        run: The run.
        deviations: Minimum distance between the means for a finding, in moving standard
            deviations. Between two image data sets it is below 1.
        ratio: Minimum ratio of the variances (or its inverse) for a finding. The
            default corresponds to inputs that are ten times as large.
    """
    frozen = {f.label for f in run.layers if f.batch_normalizes and not f.trainable}
    if not frozen:
        return Fine("no batch normalization is frozen")
    facts = inference_of(run)
    if facts is None:
        return Skipped("the model was not run with its moving statistics")
    # only the first: those behind it are given what it has made of its inputs
    first = next((drift for drift in facts.drifts if drift.layer in frozen), None)
    if first is None:
        return Skipped("no frozen batch normalization was run")
    # A variance that is too small is as bad as one that is too large by the same
    # factor.
    size = math.exp(abs(math.log(first.variance))) if first.variance > 0 else 1.0
    if not (first.mean > deviations or size > ratio):
        return Fine(
            f"frozen means are {first.mean:.2g} standard deviations off, frozen "
            f"variances a factor of {size:.2g}"
        )
    return _found(first, size, deviations, ratio)


def _found(drift: DriftFacts, size: float, deviations: float, ratio: float) -> Finding:
    by_mean = drift.mean > deviations
    larger = "larger" if drift.variance > 1 else "smaller"
    return Finding(
        severity="info",
        message=(
            f"Batch normalization '{drift.layer}' is frozen with the statistics of "
            f"other data: the mean of its inputs is {drift.mean:.3g} moving standard "
            f"deviations from its moving mean, and their variance is {size:.3g} times "
            f"{larger}. So its outputs are not normalized."
        ),
        risk="critical",
        layer=drift.layer,
        value=drift.mean if by_mean else size,
        threshold=deviations if by_mean else ratio,
        unit="moving standard deviations" if by_mean else "times the moving variance",
        confidence=0.9,
        evidence={"mean": drift.mean, "variance": drift.variance},
        remedies=(SAME_SCALE, THAW),
    )
