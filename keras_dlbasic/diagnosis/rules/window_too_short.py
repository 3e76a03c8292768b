"""Windows that do not reach far enough into the past."""

from __future__ import annotations

from keras_dlbasic.analysis.scoring import TaskKind
from keras_dlbasic.diagnosis import Finding, Fine, Run, Skipped, Verdict, rule, suggest
from keras_dlbasic.diagnosis.symptoms import NOT_LEARNING


@rule(kind="cause", explains=NOT_LEARNING, needs=("target", "skill"), live=False)
def window_too_short(
    run: Run, *, gain: float = 0.15, left: float = 0.5, errors: float = 3.0
) -> Verdict:
    """Compare what windows of a series tell with what longer ones would.

    It needs rows in the order of time, each of which goes on where the row before
    ended. Of these, a linear predictor is given the window alone, another one the steps
    before it too. Both are scored on later rows. A model that is not trained well does
    worse than the first; the window is not the cause then.

    Args:
        run: The run.
        gain: Minimum skill by which the second predictor is better than the first, the
            model, and simple predictors of the window.
        left: Maximum share of the variance that these leave which is left by the
            second.
        errors: Minimum number of standard errors by which the second is better than the
            first.
    """
    if run.task is not TaskKind.VALUES:
        return Fine("the targets are no values of a series")
    window = run.target.window
    if window is None:
        return Skipped("rows are not known to be windows of a series in order of time")
    skill, reference = run.outcome.skill, run.outcome.reference
    assert skill is not None
    assert reference is not None
    best = max(window.alone, skill, reference, 0.0)
    found = window.longer - best
    told = f"skill {window.alone:.2f} with the window, {window.longer:.2f} with more"
    is_clear = window.longer - window.alone >= errors * window.error
    if found < gain or not is_clear or 1 - window.longer > left * (1 - best):
        return Fine(f"a linear predictor of later rows has {told}")
    if skill < best - gain:
        return Fine(f"the model does worse (skill {skill:.2f}) than what it is given")
    steps = f"{window.steps} steps" if window.steps > 1 else "a single step"
    return Finding(
        severity="warning",
        message=(
            f"The windows are too short: they have {steps}, and the skill of the model "
            f"is {skill:.2f}. On later rows, a linear predictor that is given the "
            f"{window.earlier} steps before the window too has a skill of "
            f"{window.longer:.2f}, and without these {window.alone:.2f}."
        ),
        value=window.longer - window.alone,
        threshold=gain,
        unit="skill",
        confidence=0.9,
        evidence={"steps": float(window.steps), "longer": window.longer},
        remedies=(
            suggest.by_hand(
                f"cut windows of {window.steps + window.earlier} steps or more",
                "the model then sees where the series comes from",
            ),
        ),
    )
