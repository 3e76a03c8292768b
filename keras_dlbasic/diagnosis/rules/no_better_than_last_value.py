"""Forecasts that repeat the last value of a series."""

from __future__ import annotations

import math

from keras_dlbasic.analysis.scoring import TaskKind
from keras_dlbasic.diagnosis import Finding, Fine, Run, Verdict, rule, suggest

KNOWN = 1 - 1e-4
"""Skill from which the last value is the target itself."""


SLOW = 0.8
"""Skill of the last value from which a forecast of it looks good and is of no use."""


@rule(kind="cause", needs=("target", "skill"), live=False)
def no_better_than_last_value(
    run: Run,
    *,
    least: float = 0.5,
    nearly: float = 0.95,
    most: float = 3.0,
    clear: float = 0.8,
) -> Verdict:
    """Compare a forecast with the last value of the series it is given.

    A series that changes slowly has a last value near the next one. To repeat it gives
    a skill that looks good, and a curve that runs behind the true one by a step.

    Args:
        run: The run.
        least: Minimum skill of the last value for a finding.
        nearly: Minimum error of the model, in units of that of the last value.
        most: Maximum error. A model with a larger one has not come that far.
        clear: Maximum error of a linear predictor, in the same units, that shows that
            the inputs tell more.
    """
    if run.task is not TaskKind.VALUES:
        return Fine("the targets are no values of a series")
    last = run.target.last_value
    if math.isnan(last):
        return Fine("the targets are not known to be later values of a series")
    skill = run.outcome.skill
    assert skill is not None
    left = 1 - last
    if not least <= last < KNOWN:
        return Fine(f"the skill of the last value is {last:.2f}")
    ratio = (1 - skill) / left
    if not nearly <= ratio <= most:
        return Fine(f"the squared error is {ratio:.2f} times that of the last value")
    window = run.target.window
    limit = 1 - clear * left
    if window is not None and window.longer > limit >= window.alone:
        return Fine("longer windows would tell more than the last value")
    reference = run.outcome.reference
    tells_more = reference is not None and reference > limit
    if not tells_more and last < SLOW:
        return Fine("the series is not slow, and simple predictors do no better")
    why = (
        f"The inputs tell more: {run.outcome.reference_name} of all of them has a "
        f"skill of {reference:.3f} on unseen samples."
        if tells_more
        else "Simple predictors do no better, so the inputs may not tell more."
    )
    change = suggest.by_hand(
        "train on the change since the last value, `y - x[:, -1, 0]`, and add it to "
        "that value to forecast",
        "its loss shows what is learned beyond the last value",
    )
    more = suggest.by_hand(
        "give the model other inputs than the past of the series, or forecast further "
        "ahead",
        "what the past does not tell no model can learn from it",
    )
    return Finding(
        severity="warning",
        message=(
            f"The forecast is no better than the last value: its skill is {skill:.3f}, "
            f"and that of the last value of the series in the inputs {last:.3f}. In a "
            f"plot it lags behind the true series. {why}"
        ),
        value=ratio,
        threshold=nearly,
        unit="times the squared error of the last value",
        confidence=0.85,
        evidence={"last_value": last},
        remedies=(
            (change, suggest.more_epochs("the model may get beyond it"))
            if tells_more
            else (change, more)
        ),
    )
