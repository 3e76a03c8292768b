"""Inputs that are the same for all rows."""

from __future__ import annotations

from keras_dlbasic.diagnosis import Finding, Fine, Run, Verdict, rule, suggest
from keras_dlbasic.diagnosis.symptoms import NOT_LEARNING


@rule(kind="cause", explains=NOT_LEARNING, needs=("inputs",))
def constant_inputs(run: Run) -> Verdict:
    """Look for inputs that are the same in all rows."""
    inputs = [i for i in run.inputs if i.is_constant is not None]
    wrong = [i for i in inputs if i.is_constant]
    if inputs and len(wrong) == len(inputs):
        return Finding(
            severity="critical",
            message=(
                "All rows of the inputs are identical, so the model cannot tell "
                "samples apart."
            ),
            value=1.0,
            unit="share of the inputs",
            remedies=(
                suggest.by_hand(
                    "check the code that makes the inputs", "the rows must differ"
                ),
            ),
        )
    if wrong:
        return Finding(
            severity="info",
            message=(
                f"{len(wrong)} of {len(inputs)} inputs are the same for all rows and "
                "carry no information."
            ),
            value=float(len(wrong)),
            unit="inputs",
        )
    constant = sum(i.constant_features or 0 for i in inputs)
    return Fine(f"{constant} features are constant")
