"""Models in which nothing adds a constant."""

from __future__ import annotations

import math

from keras_dlbasic.diagnosis import Finding, Fine, Run, Skipped, Verdict, rule, suggest
from keras_dlbasic.diagnosis.symptoms import NOT_LEARNING


@rule(
    kind="cause",
    explains=(*NOT_LEARNING, "dead_units", "vanishing_gradients"),
    needs=("network",),
    live=False,
)
def missing_bias(run: Run, *, saved: float = 0.1, share: float = 0.15) -> Verdict:
    """Add the best constant to the output of a model without any bias.

    Training finds such a constant by itself if there is a bias, or something that
    takes its place, as a column of ones in the inputs. So at the end of a run it saves
    next to nothing then. Of runs with sample or class weights nothing is said.

    Args:
        run: The run.
        saved: Minimum part of the loss that the constant saves, as a share of the loss
            of a constant prediction, for a finding.
        share: The same as a share of the loss itself.
    """
    probe = run.facts.probe
    if probe is None:
        return Skipped(run.reasons.outcome)
    if probe.offset is None or probe.offset.has_bias:
        return Fine("something in the model or in its inputs adds a constant")
    if run.facts.data is not None and run.facts.data.weights:
        return Skipped("samples have weights, with which another constant is best")
    loss, moved = probe.offset.loss, probe.offset.moved
    baseline = probe.baseline_loss
    if baseline is None or not baseline > 0 or math.isnan(loss):
        return Skipped(run.reasons.outcome)
    gain = (loss - moved) / baseline
    if not gain >= saved or not loss - moved >= share * loss:
        return Fine(f"a constant at the output would save {max(gain, 0.0):.1%}")
    falls = run.descent.falls  # training may still find what takes its place
    is_certain = run.outcome.learned is False and not falls
    return Finding(
        severity="critical" if is_certain else "warning",
        risk="warning" if falls else "critical",
        message=(
            "No layer of the model has a bias or a normalization, so inputs of zero "
            f"always get the same output. On training samples the loss is {loss:.4g}; "
            f"a constant added at the output alone would lower it to {moved:.4g}."
        ),
        value=gain,
        threshold=saved,
        unit="share of the baseline loss",
        confidence=0.9,
        evidence={"loss": loss, "moved": moved},
        remedies=(
            suggest.by_hand(
                "use_bias=True",
                "a bias moves the point at which a unit begins to respond",
            ),
        ),
    )
