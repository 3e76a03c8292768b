"""A learning rate that is still climbing when the run ends."""

from __future__ import annotations

from typing import Any

import numpy as np

from keras_dlbasic.diagnosis import Finding, Fine, Run, Skipped, Verdict, rule, suggest
from keras_dlbasic.diagnosis.symptoms import NOT_LEARNING

USUAL = 1e-3
"""Change of the weights by a step, in units of their norm, of most healthy runs."""

LINEAR = (0.3, 0.7)
"""Mean rate of a linear warm-up, as a share of the last; a range test has far less."""


@rule(
    kind="cause",
    explains=NOT_LEARNING,
    needs=("learning_rate", "updates"),
    live=False,
)
def learning_rate_not_warm(run: Run, *, reached: float = 0.5) -> Verdict:
    """Look for a warm-up that takes longer than the run.

    A slow start does no harm by itself, so it only counts if the run learns little.

    Args:
        run: The run.
        reached: Maximum share of the highest rate of the schedule that the run reached,
            if that rate is known. If not, steps must be short.
    """
    rates = run.record.learning_rate
    known = np.isfinite(rates)
    steps, rates = run.record.steps[known], rates[known]
    if len(rates) < 5:
        return Skipped("needs five sampled steps with a learning rate")
    last = float(rates[-1])
    least, most = (share * last for share in LINEAR)
    # the first steps of an epoch are measured more often than others
    mean = np.interp(np.arange(steps[0], steps[-1] + 1), steps, rates).mean()
    is_linear = last > 0 and least <= mean <= most
    if not is_linear or last < 0.99 * rates.max() or last < 2 * rates[0]:
        return Fine(f"the learning rate went from {rates[0]:.2g} to {last:.2g}")
    length, peak = _warm_up(run)
    if peak is None:
        if run.movement.ratio >= USUAL:
            return Fine("the learning rate rose to the end, and steps are long enough")
    elif last > reached * peak:
        return Fine(f"the learning rate rose to {last:.2g} of {peak:.2g}")
    of_peak = "" if peak is None else f", of {peak:.2g} at the end of its warm-up"
    counted = f" of {length} steps" if length else ""
    total = run.record.trained_steps
    return Finding(
        severity="info",
        message=(
            f"The learning rate was still climbing when the run ended: after {total} "
            f"updates it had reached {last:.2g}{of_peak}{counted}. Most updates were "
            "made with less than that."
        ),
        risk="critical",
        value=last if peak is None else last / peak,
        threshold=None if peak is None else reached,
        unit="of the highest rate" if peak else "",
        confidence=0.7 if peak is None else 0.9,
        note=False,
        remedies=(
            suggest.by_hand(
                "shorten the warm-up to about a tenth of the updates of the run, here "
                f"{max(1, total // 10)}",
                "the schedule counts updates, not samples or epochs",
            ),
            suggest.more_epochs("the rate reaches its height later"),
        ),
    )


def _warm_up(run: Run) -> tuple[int | None, float | None]:
    """Return the length and the end of a schedule's warm-up, None where not known."""
    schedule: Any = run.facts.inner_optimizer.get("learning_rate")
    config = schedule.get("config") if isinstance(schedule, dict) else None
    if not isinstance(config, dict):
        return None, None
    steps, peak = (
        float(value) if isinstance(value, int | float) and value > 0 else None
        for value in (config.get("warmup_steps"), config.get("warmup_target"))
    )
    return None if steps is None else int(steps), peak
