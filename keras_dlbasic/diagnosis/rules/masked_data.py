"""Masks that take steps out of the middle of sequences."""

from __future__ import annotations

from keras_dlbasic.diagnosis import Finding, Fine, Run, Verdict, rule, suggest
from keras_dlbasic.diagnosis.symptoms import NOT_LEARNING


@rule(kind="cause", explains=NOT_LEARNING, needs=("inputs", "network"))
def masked_data(
    run: Run, *, share: float = 0.1, reference: float = 0.3, lost: float = 0.5
) -> Verdict:
    """Look for masks that hide more than padding.

    A recurrent layer does not see the steps of a mask, nor how many there are between
    two others. There is a finding if simple predictors are good on whole sequences, and
    not on what the mask leaves of them.

    Else steps between other steps count that have the value of the mask. They are data
    or missing values, which are masked rightly, so it only counts if the run learns
    little.

    Args:
        run: The run.
        share: Minimum share of the steps between the first and the last one.
        reference: Minimum skill of simple predictors on whole sequences.
        lost: Minimum share of it that they lose with the mask.
    """
    if hidden := _hidden(run, reference, lost):
        return hidden
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


def _hidden(run: Run, reference: float, lost: float) -> Finding | None:
    """Compare what predictors reach on whole and on masked sequences."""
    whole, probe = run.outcome.reference, run.facts.probe
    left = None if probe is None else probe.masked_reference
    if whole is None or left is None or whole < reference:
        return None
    value = 1 - max(0.0, left) / whole
    if value < lost:
        return None
    (facts,) = run.inputs
    return Finding(
        severity="warning" if run.outcome.learned is False else "info",
        risk="critical",
        message=(
            f"The mask hides what the targets depend on: {run.outcome.reference_name} "
            f"has a skill of {whole:.2f} on whole sequences, and {max(0.0, left):.2f} "
            f"without the masked steps. Steps with the value {facts.mask_value:g} are "
            "data here, not padding."
        ),
        value=value,
        threshold=lost,
        unit="share of the skill",
        confidence=0.9,
        note=False,
        remedies=(
            suggest.by_hand(
                "remove the Masking layer, or pad with a value that does not occur in "
                "the data and give it as `mask_value`",
                "the mask then hides the padding only",
            ),
        ),
    )
