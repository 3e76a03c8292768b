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
from keras_dlbasic.diagnosis.blocked_layers import blocked_layers
from keras_dlbasic.diagnosis.symptoms import NOT_LEARNING

MAX_NAMED = 3


@rule(
    kind="cause",
    explains=(*NOT_LEARNING, "dead_units", "vanishing_gradients"),
    needs=("gradients",),
)
def zero_gradients(run: Run, *, least: int = 3, flat: float = 0.5) -> Verdict:
    """Look for weights that get no gradient: all of them, or those of some layers.

    Gradients may be small for many reasons. But if they are exactly zero for all
    weights from the first step on, the loss does not depend on the weights. The reason
    is an operation without a gradient (rounding, argmax, sign, a cast to integers), a
    ReLU output that is zero for all rows, or a loss that ignores the output. The same
    can be true for some layers only, such as an encoder followed by an argmin lookup,
    or the scores of an attention that picks one step. This is reported if the next
    layers have normal gradients, and no layer has only dead units or zero weights. Of a
    custom loss it is also tested for how many samples it has no slope.

    Args:
        run: The run.
        least: Minimum number of sampled steps.
        flat: Minimum share of samples whose loss does not change with a small change of
            the prediction, but would be clearly lower for another one.
    """
    norms = run.record.global_gradient_norm[run.clean]
    if len(norms) < least:
        return Skipped(f"needs {least} sampled steps with finite gradients")
    if norms.max() > 0:
        blocked = blocked_layers(run)
        if blocked:
            return _of_layers(run, blocked)
        probe = run.facts.probe
        if probe is not None and probe.flat_rows >= flat:
            return _of_rows(run, probe.flat_rows, flat)
        return Fine(f"the largest gradient norm is {norms.max():.2g}")
    # A loss of exactly zero has nothing left to improve, so its gradient is rightly
    # zero.
    losses = run.record.batch_loss
    if len(losses) and np.nan_to_num(losses, nan=1.0).max() == 0:
        return Fine("gradients are zero because the loss is zero")
    # an output that is saturated for all rows has no slope either, and other causes
    outputs = run.facts.outputs
    if any(one.activation == "softmax" and one.units == 1 for one in outputs):
        return Fine("a softmax over one unit has no gradient: see its own check")
    activations = {output.activation for output in outputs}
    is_saturable = bool(activations & {"sigmoid", "tanh", "softmax"})
    return Finding(
        severity="info" if is_saturable else "critical",
        risk="critical" if is_saturable else None,
        message=(
            f"The gradient of every weight is exactly zero at all {len(norms)} sampled "
            "steps, so no weight changes. The loss does not depend on the weights, or "
            "an operation without a gradient is between them."
        ),
        step=int(run.steps[0]),
        value=0.0,
        threshold=0.0,
        unit="gradient norm",
        confidence=0.6 if is_saturable else 0.9 if _is_rectified(run) else 0.97,
        remedies=_remedies(run),
    )


def _of_rows(run: Run, share: float, limit: float) -> Finding:
    return Finding(
        severity="info" if run.outcome.learned else "warning",
        risk="critical",
        message=(
            f"For {share:.0%} of the samples the custom loss stays the same if their "
            "prediction changes a little, but it would be clearly lower for another "
            "prediction. These samples have no gradient. An error that is clipped "
            "before it is squared, rounding and comparisons do this."
        ),
        value=share,
        threshold=limit,
        unit="share of the samples",
        confidence=0.9,
        remedies=(
            suggest.by_hand(
                "keras.losses.Huber(delta=1.0)",
                "it limits the gradient of large errors instead of removing it",
            ),
        ),
    )


def _of_layers(run: Run, blocked: tuple[str, ...]) -> Finding:
    named = ", ".join(f"'{name}'" for name in blocked[:MAX_NAMED])
    more = f" and {len(blocked) - MAX_NAMED} more" if len(blocked) > MAX_NAMED else ""
    is_over = not (run.live or run.is_planned)
    is_poor = is_over and run.outcome.is_known and not run.outcome.is_good
    return Finding(
        severity="warning" if is_poor else "info",
        message=(
            f"No gradient reaches {'layer' if len(blocked) == 1 else 'layers'} "
            f"{named}{more}: it is zero or missing at all {len(run.steps)} sampled "
            "steps, although later layers have gradients. So these weights keep their "
            "initial values."
        ),
        risk="critical",
        layer=blocked[-1],
        step=int(run.steps[0]),
        value=0.0,
        threshold=0.0,
        unit="gradient norm",
        confidence=0.9,
        evidence={"layers": list(blocked[:10])},
        remedies=(
            suggest.by_hand(
                f"look after layer '{blocked[-1]}' for argmax, argmin, rounding, sign, "
                "a cast to integers or stop_gradient",
                "they have no gradient, so they block backpropagation",
            ),
            suggest.by_hand(
                "x + keras.ops.stop_gradient(quantized - x)",
                "passes the gradient through a lookup or rounding (straight-through "
                "estimator)",
            ),
        ),
        note=False,
    )


def _is_rectified(run: Run) -> bool:
    """Return whether an output is a ReLU, which has no slope below zero either."""
    return any(one.activation in ("relu", "relu6") for one in run.facts.outputs)


def _remedies(run: Run) -> tuple[RemedySuggestion, ...]:
    without_slope = suggest.by_hand(
        "look between the last layer and the loss for rounding, argmax, sign, a cast "
        "to integers or stop_gradient",
        "they have no gradient; use them for evaluation, not in the loss",
    )
    if not _is_rectified(run):
        return (without_slope,)
    linear = suggest.output(
        "a ReLU output with negative inputs for all rows has no gradient",
        "linear",
        None,
    )
    return (linear, without_slope)
