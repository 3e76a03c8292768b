"""Masks that take steps out of the middle of sequences."""

from __future__ import annotations

from keras_dlbasic.diagnosis import Finding, Fine, Run, Verdict, rule, suggest
from keras_dlbasic.diagnosis.symptoms import NOT_LEARNING


@rule(kind="cause", explains=NOT_LEARNING, needs=("inputs", "network"))
def masked_data(run: Run, *, share: float = 0.1) -> Verdict:
    """Look for masks that hide steps between other steps.

    Padding is at the ends of a sequence. Steps in the middle that have the value of the
    mask are data or missing values, and recurrent layers and attention skip them. That
    is right for missing values, so it only counts if the run learns little.

    Args:
        run: The run.
        share: Minimum share of the steps between the first and the last one.
    """
    found = [facts for facts in run.inputs if facts.masked_inside >= share]
    if not found:
        return Fine("no mask hides steps in the middle of sequences")
    facts = max(found, key=lambda one: one.masked_inside)
    what = "have id 0" if facts.is_ids else "equal the `mask_value`"
    return Finding(
        severity="warning" if run.outcome.learned is False else "info",
        risk="warning",
        message=(
            f"{facts.masked_inside:.0%} of the steps in the middle of the sequences "
            f"{what} and are masked, so the layers after the mask do not see them. If "
            "they are data rather than missing values, the model cannot use them."
        ),
        value=facts.masked_inside,
        threshold=share,
        unit="share of the steps",
        confidence=0.7,
        note=False,
        remedies=(
            suggest.by_hand(
                "start the ids of words at 1, and keep 0 for padding"
                if facts.is_ids
                else "keras.layers.Masking(mask_value=-1.0)",
                "the mask then hides the padding only"
                + ("" if facts.is_ids else ", if padding has that value"),
            ),
        ),
    )
