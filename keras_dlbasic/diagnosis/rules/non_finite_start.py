"""A loss or gradients that are not finite before any update."""

from __future__ import annotations

from keras_dlbasic.diagnosis import (
    Finding,
    Fine,
    RemedySuggestion,
    Run,
    Skipped,
    Verdict,
    rule,
    suggest,
)
from keras_dlbasic.diagnosis.first_step import (
    BrokenStart,
    broken_start,
    lost_elsewhere,
    said_rows,
    undefined_rows,
)
from keras_dlbasic.diagnosis.symptoms import NOT_FINITE

LOCALIZE = suggest.by_hand(
    "compute model(x[:32]) layer by layer, then the loss",
    "the cause is where the first NaN or infinite value appears",
)
REMEDIES: dict[str, tuple[RemedySuggestion, ...]] = {
    "outputs": (
        suggest.by_hand(
            "guard the division, logarithm or root in that layer, as in "
            "ops.log(ops.maximum(x, keras.config.epsilon()))",
            "its input contains zeros or negative numbers",
        ),
        LOCALIZE,
    ),
    "loss": (
        suggest.by_hand(
            "check the loss: the order of its arguments (y_true, y_pred), logarithms "
            "of zero, divisions by zero, sample weights that are all zero",
            "the outputs of the model are finite, but the loss is not",
        ),
        LOCALIZE,
    ),
    "gradients": (
        suggest.by_hand(
            "add a small number under roots, norms and powers, as in "
            "ops.sqrt(x + 1e-7)",
            "the derivative of a root or a norm at zero is infinite",
        ),
        LOCALIZE,
    ),
}

REMEDIES["unknown"] = (
    suggest.by_hand(
        "check the first batch for NaN, then the output of the model, then the loss",
        "the first of them that is not finite is the cause; `TrainingDoctor(x, y)` "
        "finds out which",
    ),
    LOCALIZE,
)


@rule(kind="cause", explains=NOT_FINITE)
def non_finite_start(run: Run) -> Verdict:
    """Look for a first step whose loss or gradients are not finite.

    There was no update before, so the learning rate cannot be the cause: it is the
    loss, a layer or the data. There are separate checks for data and weights.
    """
    if run.is_planned and run.facts.start is None:
        return Skipped("the loss could not be evaluated outside `fit`")
    if not run.is_planned and run.steps[0] != 0:
        return Skipped("the first step was not recorded")
    start = broken_start(run)
    if start is None:
        return Fine("loss and gradients of the first step are finite")
    if elsewhere := lost_elsewhere(run):
        return Fine(f"the first step is not finite because {elsewhere} are not")
    rows = undefined_rows(run)
    if rows is not None and not run.is_planned:
        return Fine("the loss of some rows is not defined (non_finite_operation)")
    return Finding(
        severity="critical",
        message=_message(start) + ("" if rows is None else f" {said_rows(rows)}"),
        layer=start.layers[0] if start.layers else None,
        step=None if run.is_planned else 0,
        confidence=0.95,
        evidence={"place": start.place, "layers": list(start.layers[:10])},
        remedies=REMEDIES[start.place],
    )


def _message(start: BrokenStart) -> str:
    if start.place == "outputs":
        where = f"the output of layer '{start.layers[0]}'" if start.layers else ""
        found = where or "the model's output"
    elif start.place == "unknown":
        found = "the loss (or the model's output, which was not checked)"
    elif start.place == "loss":
        found = "the loss, although the model's outputs are finite,"
    else:
        found = "the gradient, although the loss is finite,"
    return (
        f"Before the first update, {found} is NaN or infinite. So the learning rate is "
        "not the cause, and a lower one does not help."
    )
