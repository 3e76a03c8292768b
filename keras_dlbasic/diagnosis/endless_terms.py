"""Losses that fall without end for what is added to them or how rows are weighted."""

from __future__ import annotations

import numpy as np

from keras_dlbasic.diagnosis import suggest
from keras_dlbasic.diagnosis.finding import Finding
from keras_dlbasic.diagnosis.outcome import HALF
from keras_dlbasic.diagnosis.run import Run
from keras_dlbasic.records import WeightFacts

SIGN_OF_TERM = suggest.by_hand(
    "self.add_loss(weight * divergence) with a positive weight",
    "a divergence or penalty is at least 0, so it must be added, not subtracted",
)
POSITIVE_WEIGHTS = suggest.by_hand(
    "check the sign of `sample_weight`; for advantages use np.exp(advantage), or one "
    "epoch only for each policy",
    "with positive weights the loss has a lowest value",
)

SIGN_OF_LOSS = suggest.by_hand(
    "return -value from the loss, if higher values are better",
    "`fit` minimizes the loss",
)

LEAST_EPOCHS = 6
"""Fewer do not show whether a loss falls ever faster."""

COLLAPSED = 10.0
"""A cross-entropy this many times that of a constant prediction is that of predictions
that are close to 0 and 1, and wrong."""

TWICE = 2.0
"""A loss this many times that of a constant prediction is not that of a poor fit."""

FAR_BELOW, GROWN = 10.0, 10.0
"""How many times the loss of a constant prediction, and its own size before training, a
term without a lowest value has fallen to."""


def added_without_end(run: Run) -> Finding | None:
    """Look for a term of `add_loss` that falls ever further, and takes all with it."""
    probe = run.facts.probe
    start = None if probe is None else probe.added_at_start
    end = None if probe is None else probe.added_at_end
    worse = _worse_than_constant(run) if start is not None and end is not None else None
    if worse is None or start is None or end is None or not keeps_falling(run):
        return None
    if not (end < -FAR_BELOW * abs(worse[1]) and end < -GROWN * abs(start)):
        return None
    return Finding(
        severity="critical",
        message=(
            f"The term that the model adds by `add_loss` fell from {start:.4g} to "
            f"{end:.4g} and goes on falling, while the compiled loss is "
            f"{worse[0]:.4g}, more than the {worse[1]:.4g} of a constant prediction. "
            "The term has no lowest value, as a divergence or penalty with the wrong "
            "sign."
        ),
        value=end,
        threshold=0.0,
        unit="loss",
        confidence=0.95,
        evidence={"start": start, "end": end, "loss": worse[0], "constant": worse[1]},
        remedies=(SIGN_OF_TERM,),
    )


def weights_without_end(run: Run) -> Finding | None:
    """Look for negative weights of a cross-entropy, which then has no lowest value."""
    data = run.facts.data
    weights = data.weights if data is not None else ()
    negative = [one for one in weights if one.min < 0]
    if not negative or not run.loss_kind.is_crossentropy:
        return None
    given = min(negative, key=lambda one: one.min)
    least = given.min
    worse = _worse_than_constant(run)
    if worse is None or not keeps_falling(run):
        return None
    first, last = run.loss[np.isfinite(run.loss)][[0, -1]]
    # Advantages of a policy are about as often negative as positive, and a few epochs
    # with them are meant; not so predictions that are sure and wrong.
    has_collapsed = worse[0] > COLLAPSED * abs(worse[1])
    is_harmful = has_collapsed or not _may_be_advantages(given)
    return Finding(
        severity="warning" if is_harmful else "info",
        message=(
            f"Some sample weights are negative (down to {least:.3g}). A cross-entropy "
            "with a negative weight has no lowest value: the training loss fell from "
            f"{first:.4g} to {last:.4g}, while without weights it is {worse[0]:.4g}, "
            f"more than the {worse[1]:.4g} of a constant prediction. Rows with "
            "negative weights push their targets away."
        ),
        risk="critical" if is_harmful else None,
        value=least,
        threshold=0.0,
        unit="smallest weight",
        confidence=0.85 if is_harmful else 0.4,
        evidence={"smallest_weight": least, "loss": worse[0], "constant": worse[1]},
        remedies=(POSITIVE_WEIGHTS,),
    )


def _may_be_advantages(weights: WeightFacts) -> bool:
    """Return whether the mean of weights is near 0 or below it, or not known."""
    if not weights.by_class or not weights.counts:
        return True
    mean = np.average(weights.by_class, weights=weights.counts)
    return bool(mean < HALF * abs(weights.min))


def falls_ever_faster(run: Run) -> Finding | None:
    """Look for a custom loss that falls further below zero with each epoch.

    A loss with a lowest value falls ever more slowly as it comes near it, and so does
    a likelihood of a density, which falls with the logarithm of its width.
    """
    losses = run.loss
    if len(losses) < LEAST_EPOCHS or not np.isfinite(losses).all():
        return None
    first, middle, last = losses[0], losses[len(losses) // 2], losses[-1]
    if not last < -GROWN * max(abs(first), 1.0):
        return None
    if not middle - last > TWICE * abs(first - middle) or not middle < first:
        return None
    return Finding(
        severity="warning",
        risk="critical",
        message=(
            f"The training loss falls from {first:.4g} to {last:.4g}, and faster with "
            "each epoch. So it has no lowest value: training makes outputs larger "
            "instead of more correct. A likelihood, an overlap or a reward must have "
            "a minus sign to be a loss."
        ),
        value=float(last),
        threshold=float(-GROWN * max(abs(first), 1.0)),
        unit="loss",
        confidence=0.9,
        evidence={"first": float(first), "middle": float(middle), "last": float(last)},
        remedies=(SIGN_OF_LOSS,),
    )


def keeps_falling(run: Run) -> bool:
    """Return whether the training loss is below zero and lowest late in the run."""
    losses = run.loss[np.isfinite(run.loss)]
    if len(losses) < 3:
        return False
    return bool(losses[-1] < min(0, losses[0]) and losses.argmin() >= len(losses) // 2)


def _worse_than_constant(run: Run) -> tuple[float, float] | None:
    """Return the compiled loss on the probe, and that of a constant, if it is less."""
    probe = run.facts.probe
    if probe is None or probe.baseline_loss is None or "probe" not in run.record.tables:
        return None
    loss, constant = float(run.probed("loss")[-1]), probe.baseline_loss
    return (loss, constant) if loss > TWICE * abs(constant) > 0 else None
