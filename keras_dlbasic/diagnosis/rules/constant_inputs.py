"""Inputs that are the same for all rows."""

from __future__ import annotations

from keras_dlbasic.diagnosis import suggest
from keras_dlbasic.diagnosis.rule import Found, Judged, rule
from keras_dlbasic.diagnosis.run import Run
from keras_dlbasic.diagnosis.symptoms import NOT_LEARNING


@rule(
    "cause",
    explains=NOT_LEARNING,
)
def constant_inputs(run: Run) -> Judged:
    """Look for inputs with nothing to learn from."""
    inputs = [i for i in run.inputs if "is_constant" in i]
    wrong = [i for i in inputs if i["is_constant"]]
    if inputs and len(wrong) == len(inputs):
        return Found(
            "critical",
            "All rows of the inputs are the same: there is nothing to learn from.",
            remedies=(
                suggest.by_hand("check how the inputs were made", "rows must differ"),
            ),
            details={"value": 1.0},
        )
    if wrong:
        return Found(
            "info",
            f"{len(wrong)} of {len(inputs)} inputs are the same for all rows.",
            details={"value": float(len(wrong))},
        )
    constant = sum(i["constant_features"] for i in inputs)
    return f"{constant} features are constant"
