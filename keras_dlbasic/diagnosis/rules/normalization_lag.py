"""Moving statistics of a normalization that are not those of the data."""

from __future__ import annotations

from keras_dlbasic.diagnosis import (
    Finding,
    Fine,
    RemedySuggestion,
    Run,
    Skipped,
    Verdict,
    rule,
    suggest,
)
from keras_dlbasic.diagnosis.finding import Severity
from keras_dlbasic.diagnosis.inference_gap import (
    InferenceGap,
    inference_gap,
    inference_of,
)
from keras_dlbasic.diagnosis.momentum_advice import faster_momentum, still_lags
from keras_dlbasic.records import LayerFacts

SMALL_BATCH = 4
"""The variance within so few rows is a third too small or more."""

RECOMPUTE = suggest.by_hand(
    "kd.ensembles.recompute_statistics(model, x)",
    "computes the moving statistics from the training rows; weights do not change",
)


@rule(kind="cause", explains=("overfitting",), needs=("network",), live=False)
def normalization_lag(run: Run, *, lost: float = 0.2, much: float = 0.5) -> Verdict:
    """Compare the model with batch statistics and with moving statistics.

    Batch normalization uses the statistics of the batch in training and their moving
    averages in inference. If these differ, a model is good on its training rows in
    `fit` and bad on the same rows in `evaluate`. Dropout is off in both evaluations, so
    there is no other difference.

    Args:
        run: The run.
        lost: Minimum share of the skill that is lost in inference on the same rows, for
            a warning; half of it if the loss is that much worse, too. If only the loss
            is, because predictions are less confident, it is a note.
        much: The same for a critical finding.
    """
    layers = [f for f in run.layers if f.batch_normalizes and f.trainable]
    if not layers:
        return Fine("no batch normalization is trained")
    if inference_of(run) is None:
        return Skipped("the model was not run with its moving statistics")
    gap = inference_gap(run)
    if gap is None:
        return Fine("the model has learned too little to compare with inference")
    is_less_sure = gap.lost_loss >= lost
    # half of the limit is enough where both are worse
    is_only_less_sure = gap.lost < (lost / 2 if is_less_sure else lost)
    if is_only_less_sure and not is_less_sure:
        return Fine(f"inference loses {max(0.0, gap.lost):.1%} of what was learned")
    severity: Severity = "critical" if gap.lost >= much else "warning"
    # A frozen layer uses its moving statistics in training, too: it is not to blame.
    trained = {layer.label for layer in layers}
    drifts = [drift for drift in gap.drifts if drift.layer in trained]
    worst = max(drifts, key=lambda drift: drift.mean, default=None)
    why, remedies = _reason(run, layers)
    return Finding(
        severity="info" if is_only_less_sure else severity,
        message=f"{_observed(run, gap)} {why}",
        risk="warning" if is_only_less_sure else None,
        layer=worst.layer if worst else layers[0].label,
        value=gap.lost_loss if is_only_less_sure else gap.lost,
        threshold=lost,
        unit="share of what was learned",
        confidence=0.95,
        evidence={
            "loss": gap.loss,
            "inference_loss": gap.inference_loss,
            "skill": gap.skill,
            "inference_skill": gap.inference_skill,
            "drifts": {
                drift.layer: [drift.mean, drift.variance] for drift in drifts[:10]
            },
        },
        remedies=(RECOMPUTE, *remedies),
    )


def _observed(run: Run, gap: InferenceGap) -> str:
    """Say what was measured, by the loss if there is one."""
    probe, parts = run.record.facts.probe, []
    rows = 0 if probe is None else probe.looked or probe.rows or 0
    if gap.loss is not None and gap.inference_loss is not None:
        parts.append(("loss", f"{gap.loss:.4g}", f"{gap.inference_loss:.4g}"))
    if gap.skill is not None and gap.inference_skill is not None:
        parts.append(("skill", f"{gap.skill:.2f}", f"{gap.inference_skill:.2f}"))
    own = " and ".join(f"a {name} of {number}" for name, number, _ in parts)
    moving = " and ".join(f"a {name} of {number}" for name, _, number in parts)
    return (
        f"On the same {rows} training samples, the model has {own} with the batch "
        f"statistics of batch normalization, but {moving} with the moving statistics, "
        "which `evaluate` and `predict` use."
    )


def _reason(
    run: Run, layers: list[LayerFacts]
) -> tuple[str, tuple[RemedySuggestion, ...]]:
    """Say why the statistics differ, and what helps besides computing them anew."""
    # Three reasons, the most certain first: too few updates for the averages to follow,
    # batches too small to agree, statistics that changed too fast.
    updates, size = run.record.trained_steps, run.facts.batch_size
    slowest = max(layers, key=lambda layer: layer.momentum or 0.0)
    momentum = slowest.momentum or 0.0
    if still_lags(momentum, updates):
        lower = faster_momentum(momentum, updates)
        longer = suggest.more_epochs("gives more updates", 3.0)
        text = (
            f"With a momentum of {momentum:g}, the moving statistics still contain "
            f"{momentum**updates:.0%} of their initial values after {updates} updates."
        )
        return text, (longer,) if lower is None else (lower, longer)
    if size and size <= SMALL_BATCH:
        larger = suggest.batch_size(
            "statistics of more rows are less noisy", run.moderate_batch_size(least=16)
        )
        text = (
            f"The moving statistics average over batches of only {size} rows, whose "
            "statistics differ widely."
        )
        independent = "does not depend on the batch size"
        return text, (larger, suggest.normalization(independent, "layer"))
    text = (
        "The batch statistics change faster than the moving averages can follow: the "
        "steps are long, or the batches differ."
    )
    by_hand = suggest.by_hand(
        "shuffle the rows, and lower `momentum` of the normalization",
        "the batches are then similar, and the averages follow faster",
    )
    return text, (
        suggest.lower_learning_rate("shorter steps change the statistics less"),
        by_hand,
    )
