"""Gradients that are exactly zero at every step."""

from __future__ import annotations

import numpy as np

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
from keras_dlbasic.diagnosis.symptoms import NOT_LEARNING


@rule(
    kind="cause",
    explains=(*NOT_LEARNING, "dead_units", "vanishing_gradients"),
    needs=("gradients",),
)
def zero_gradients(run: Run, *, least: int = 3) -> Verdict:
    """Look for a run in which nothing connects the loss with the weights.

    A gradient that is small can be many things; one that is exactly zero for all
    weights, from the first step on, means that the loss does not depend on them: an
    operation without a slope (rounding, argmax, sign, a cast to whole numbers), a
    rectified output that is zero for all rows, or a loss that ignores the output.

    Args:
        run: The run.
        least: Number of sampled steps that are needed.
    """
    norms = run.record.global_gradient_norm[run.clean]
    if len(norms) < least:
        return Skipped(f"needs {least} sampled steps with finite gradients")
    if norms.max() > 0:
        return Fine(f"the largest gradient norm is {norms.max():.2g}")
    # A loss of exactly zero has nothing left to improve, so its gradient is rightly
    # zero.
    losses = run.record.batch_loss
    if len(losses) and np.nan_to_num(losses, nan=1.0).max() == 0:
        return Fine("gradients are zero since the loss is zero")
    # an output that is saturated for all rows has no slope either, and other causes
    activations = {output.activation for output in run.facts.outputs}
    is_saturable = bool(activations & {"sigmoid", "tanh", "softmax"})
    return Finding(
        severity="info" if is_saturable else "critical",
        risk="critical" if is_saturable else None,
        message=(
            f"The gradient of every weight was exactly zero at all {len(norms)} "
            "sampled steps, so no weight can move: the loss does not depend on the "
            "weights, or its slope is zero everywhere."
        ),
        step=int(run.steps[0]),
        value=0.0,
        threshold=0.0,
        unit="gradient norm",
        confidence=0.6 if is_saturable else 0.97,
        remedies=_remedies(run),
    )


def _remedies(run: Run) -> tuple[RemedySuggestion, ...]:
    without_slope = suggest.by_hand(
        "look between the last layer and the loss for rounding, argmax, sign, a cast "
        "to whole numbers or stop_gradient",
        "they have no slope: keep them for evaluation, outside the loss",
    )
    outputs = run.facts.outputs
    is_rectified = any(output.activation in ("relu", "relu6") for output in outputs)
    if not is_rectified:
        return (without_slope,)
    linear = suggest.output(
        "a rectified output that is below zero for all rows has no slope",
        "linear",
        None,
    )
    return (linear, without_slope)
