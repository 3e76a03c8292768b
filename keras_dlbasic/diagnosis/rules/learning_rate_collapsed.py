"""A learning rate that falls to nothing while there is still much to learn."""

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


@rule(kind="cause", explains=NOT_LEARNING, needs=("learning_rate",), live=False)
def learning_rate_collapsed(
    run: Run,
    *,
    fall: float = 100.0,
    share: float = 0.4,
    wasted: float = 0.6,
    nothing: float = 1e-4,
    high: float = 0.2,
    mean: float = 0.06,
) -> Verdict:
    """Look for a schedule or a callback that ends learning too soon.

    A falling rate is normal. It does harm if the model is still far from what it could
    reach, so it only counts if the run learns little.

    Args:
        run: The run.
        fall: Minimum ratio of the peak rate to the current rate.
        share: Minimum share of the steps with such a low rate. A cosine schedule over
            the run is that low for its last 6 %.
        wasted: Minimum share of the steps for a warning without any symptom, if the
            last rate is at most `nothing` and the loss is stuck at `high` or above.
        nothing: Maximum ratio of the last rate to its peak at which steps have no
            effect.
        high: Minimum loss that counts as high, as a share of a constant prediction's.
        mean: Maximum ratio of the mean rate to its peak for a finding if the rate fell
            early but less deeply. An exponential decay to a thousandth has 0.14; an
            inverse square-root schedule with 10 % warmup has 0.5.
    """
    rates = run.record.learning_rate
    known = np.isfinite(rates)
    steps = run.record.steps[known]
    rates = rates[known]
    if len(rates) < 3:
        return Skipped("needs three sampled steps with a learning rate")
    peak = int(np.argmax(rates))
    total = max(run.record.trained_steps, int(steps[-1]) + 1)
    limit = rates[peak] / fall
    first = _low_from(rates, peak, limit)
    if first is None or 1 - steps[first] / total < share:
        # one that fell at once need not fall as deep to be low for the whole run
        average = float(np.interp(np.arange(total), steps, rates).mean())
        if 0 < average < mean * rates[peak]:
            limit = max(limit, average)
            first = _low_from(rates, peak, limit)
    if first is None or rates[peak] <= 0:
        return Fine(f"the learning rate went from {rates[peak]:.2g} to {rates[-1]:.2g}")
    lost = 1 - steps[first] / total
    # A rate that rises again later, as with warm restarts, has not collapsed.
    if lost < share or (rates[first:] > limit).any():
        return Fine(f"the learning rate was low for {lost:.0%} of the steps")
    epoch = int(run.record.step_epochs[known][first])
    if _schedule(run) is None and not _fell_before(run, epoch):
        # a callback that watches the loss acts when that has stopped falling
        return Fine("the learning rate fell only after the loss had stopped falling")
    is_wasted = lost >= wasted and rates[-1] <= nothing * rates[peak]
    return Finding(
        severity="warning" if is_wasted and _stands_high(run, epoch, high) else "info",
        message=(
            f"The learning rate fell too early: from {rates[peak]:.2g} to "
            f"{rates[first]:.1g} by epoch {epoch + 1} and to {rates[-1]:.1g} at the "
            f"end. The last {lost:.0%} of the steps hardly changed the weights."
        ),
        risk="critical",
        step=int(steps[first]),
        epoch=epoch,
        value=float(rates[-1] / rates[peak]),
        threshold=float(limit / rates[peak]),
        unit="of the highest learning rate",
        confidence=0.9,
        evidence={"highest": float(rates[peak]), "share_of_steps": float(lost)},
        remedies=_remedies(run, float(rates[peak])),
    )


def _low_from(rates: np.ndarray, peak: int, limit: float) -> int | None:
    """Return the first step after the peak at which the rate is at most a limit."""
    low = np.flatnonzero(rates[peak:] <= limit)
    return peak + int(low[0]) if len(low) else None


def _stands_high(run: Run, epoch: int, high: float, *, still: float = 0.01) -> bool:
    """Return whether the loss is high after an epoch, and does not move any more.

    What remains may be noise in the targets. But epochs in which nothing can change are
    spent for nothing in any case.
    """
    # A fit that goes on from `initial_epoch` has epochs whose number is no place.
    saved, loss = run.outcome.loss_saved, run.loss[run.numbers > epoch]
    if saved is None or len(loss) < 2 or not np.isfinite(loss).all():
        return False
    return bool(1 - saved >= high and np.ptp(loss) <= still * abs(loss[0]))


def _fell_before(run: Run, epoch: int, *, epochs: int = 4, least: float = 0.02) -> bool:
    """Return whether the training loss still fell in the epochs before one."""
    numbers = run.numbers
    loss = run.loss[(numbers >= epoch - epochs) & (numbers <= epoch)]
    if len(loss) < 2 or not np.isfinite(loss).all():
        return True  # not known
    return bool(loss[0] - loss[-1] > least * abs(loss[0]))


def _remedies(run: Run, peak: float) -> tuple[RemedySuggestion, ...]:
    schedule = _schedule(run)
    if schedule is None:
        what = suggest.by_hand(
            "check the callback that lowers the learning rate: `mode`, `patience` and "
            "`min_lr` of ReduceLROnPlateau, or the function of LearningRateScheduler",
            "for example, an accuracy needs mode='max'",
        )
    else:
        per_epoch = run.facts.steps_per_epoch
        counted = f", and an epoch has {per_epoch} of them" if per_epoch else ""
        what = suggest.by_hand(
            f"give {schedule} more decay steps",
            f"it counts batches, not epochs{counted}",
        )
    return what, suggest.learning_rate("keeps the highest learning rate", peak)


def _schedule(run: Run) -> str | None:
    """Return the name of the schedule that the optimizer has; None if it has none."""
    rate = run.facts.inner_optimizer.get("learning_rate")
    return (
        str(rate.get("class_name", "the schedule")) if isinstance(rate, dict) else None
    )
