"""A loss that still falls, far from what can be reached."""

from __future__ import annotations

import math

from keras_dlbasic.diagnosis import Finding, Fine, Run, Skipped, Verdict, rule, suggest
from keras_dlbasic.diagnosis.generalization import (
    never_generalized,
    predictors_find_nothing,
    reads_ids,
)

CHECK_ROWS = suggest.check_rows(
    "if inputs and targets do not match, longer training only memorizes",
)


@rule(kind="symptom", live=False, decides="predictions", per_output=True)
def slow_convergence(
    run: Run, *, least_drop: float = 1e-4, much: float = 0.02, share: float = 0.75
) -> Verdict:
    """Look for a run that ends while its loss falls and it has learned little.

    Args:
        run: The run.
        least_drop: Minimum fall of the loss over the last half of the epochs, relative
            to the loss of a constant prediction, if the run has learned nothing.
        much: The same if the run has learned something.
        share: Maximum skill of such a run, as a share of the skill of simple predictors
            (see `underfitting`). It must also be lower by a standard error.
    """
    outcome = run.outcome
    if not outcome.is_known:
        return Skipped(run.reasons.outcome)
    descent = run.descent
    rows = run.probe_rows or 20
    behind = False
    if outcome.skill is not None and outcome.reference is not None:
        margin = max((1 - share) * outcome.reference, 1 / math.sqrt(rows))
        behind = outcome.skill < outcome.reference - margin
    nothing = predictors_find_nothing(run)
    said = nothing and not reads_ids(run)
    if nothing and never_generalized(run):
        return Fine("the loss falls on training rows only")
    # A run that has learned something must fall clearly, one that has learned nothing
    # only measurably: it may be about to begin.
    is_falling = descent.falls and (
        descent.drop > (much if outcome.learned else least_drop)
    )
    if is_falling and (outcome.learned is not True or behind):
        return Finding(
            severity="critical" if outcome.learned is False else "warning",
            message=(
                "Training ended before the model had learned much, while the loss was "
                f"still decreasing (by {_told(descent.drop)} the baseline loss in the "
                "second half)."
                + (" Simple predictors learn nothing from the inputs either." * said)
            ),
            value=descent.drop,
            threshold=much if outcome.learned else least_drop,
            unit="share of the baseline loss",
            confidence=0.8,
            remedies=(
                *((CHECK_ROWS,) if nothing else ()),
                suggest.range_test("a higher learning rate needs fewer updates"),
                suggest.more_epochs("gives more updates", epochs=run.facts.epochs),
            ),
        )
    return Fine(f"the loss fell by {descent.drop:.2%} over the last half")


def _told(drop: float) -> str:
    """Return a fall of the loss beside the baseline as text."""
    return f"{drop:.2%} of" if drop <= 1 else f"{drop:.3g} times"
