"""A model of sequences that cannot see the order of their steps."""

from __future__ import annotations

from keras_dlbasic.diagnosis import Finding, Fine, Run, Skipped, Verdict, rule, suggest
from keras_dlbasic.diagnosis.outcome import NAMES
from keras_dlbasic.diagnosis.response import response_of
from keras_dlbasic.diagnosis.symptoms import NOT_LEARNING

POOR = 0.1
"""A skill below this is next to none."""


@rule(
    kind="cause",
    explains=NOT_LEARNING,
    needs=("network",),
    live=False,
)
def order_is_lost(run: Run, *, change: float = 1e-3) -> Verdict:
    """Shuffle the time steps, and compare the predictions.

    Attention, pooling and dense layers treat all steps in the same way. Without a
    position embedding, a recurrent or a convolutional layer, "dog bites man" is the
    same as "man bites dog". For many tasks the order is not needed, so this only counts
    if the run learns nothing, and not if a linear predictor of which ids occur does.

    Args:
        run: The run.
        change: Maximum change of the predictions for a finding, in units of their
            standard deviation over rows.
    """
    found = response_of(run)
    if isinstance(found, Fine):
        return found
    if found.order != found.order:
        return Skipped("the model was not run with shuffled time steps")
    if found.order > change:
        return Fine("predictions change with the order of the time steps")
    if found.other_rows > change:
        return Fine("predictions depend on other rows: see `rows_mixed`")
    masked = [f for f in run.inputs if f.mask_value is not None]
    if masked and any(layer.is_recurrent for layer in run.layers):
        return Fine("the model has a recurrent layer, and a mask that hides steps")
    if _needs_no_order(run):
        return Fine("the order of the ids is not needed to predict the targets")
    gets_nowhere = run.outcome.learned is False or _is_poor(run)
    return Finding(
        severity="warning" if gets_nowhere else "info",
        message=(
            "The predictions do not depend on the order of the time steps, because no "
            "layer uses the position of a step."
        ),
        risk="critical",
        value=found.order,
        threshold=change,
        unit="standard deviations of the predictions",
        # whether the order matters is not known
        confidence=0.7,
        note=False,
        remedies=(
            suggest.by_hand(
                "add a position embedding to the token embedding, or use a recurrent "
                "or convolutional layer",
                "the model can then use the order",
            ),
        ),
    )


def _needs_no_order(run: Run) -> bool:
    """Return whether the target can be predicted without the order of the ids."""
    reference = run.outcome.reference
    is_of_ids = run.outcome.reference_name == NAMES["counts"]
    return is_of_ids and reference is not None and reference > POOR


def _is_poor(run: Run) -> bool:
    """Return whether the model has been trained and tells next to nothing."""
    skill, saved = run.outcome.skill, run.outcome.loss_saved
    return skill is not None and skill < POOR and (saved is None or saved < POOR)
