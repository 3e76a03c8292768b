"""A loss that still falls, far from what can be reached."""

from __future__ import annotations

from keras_dlbasic.diagnosis.curves import descent_of
from keras_dlbasic.diagnosis.rule import Found, Judged, Skipped, rule
from keras_dlbasic.diagnosis.run import Run
from keras_dlbasic.diagnosis.suggestions import find_learning_rate, train_longer


@rule("symptom", live=False)
def slow_convergence(run: Run, *, least_drop: float = 1e-4) -> Judged:
    """Look for a run that ends on its way down without having got far.

    Args:
        run: The run.
        least_drop: Fall of the loss over the last half of the epochs, relative to what
            a constant answer reaches, below which it does not fall.
    """
    outcome = run.outcome
    if not outcome.is_known:
        raise Skipped("needs `x=` and `y=` to tell slow from converged")
    descent = descent_of(run)
    is_falling = descent.falls and descent.drop > least_drop
    behind = (
        outcome.score is not None
        and outcome.reference is not None
        and outcome.score < 0.75 * outcome.reference - 0.1
    )
    if is_falling and (outcome.learned is not True or behind):
        return Found(
            "critical" if outcome.learned is False else "warning",
            "The run ended while its loss was still falling, by "
            f"{descent.drop:.2%} of a constant answer's loss over its last half, and "
            "has not got far.",
            remedies=(
                find_learning_rate("longer steps get there sooner"),
                train_longer("more updates"),
            ),
            details={"value": descent.drop, "threshold": least_drop, "confidence": 0.8},
        )
    return f"the loss fell by {descent.drop:.2%} over the last half"
