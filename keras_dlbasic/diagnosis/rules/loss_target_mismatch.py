"""A loss that does not suit the targets."""

from __future__ import annotations

from typing import Any

from keras_dlbasic.diagnosis.rule import Found, Judged, Skipped, rule
from keras_dlbasic.diagnosis.run import Run
from keras_dlbasic.diagnosis.suggestions import fix_output
from keras_dlbasic.diagnosis.symptoms import NOT_LEARNING

EXPLAINS = (*NOT_LEARNING, "non_finite_values", "diverging_loss", "vanishing_gradients")
ZERO_ONE = ("binary", "one_hot", "multi_label", "probabilities")


@rule("cause", explains=EXPLAINS)
def loss_target_mismatch(run: Run) -> Judged:
    """Hold the compiled loss against the targets."""
    loss, targets = run.loss_kind, run.targets
    if loss.family == "unknown":
        raise Skipped("the loss is none that is known")
    kind = targets["kind"]
    units = (run.facts.get("network") or {}).get("outputs") or [{}]
    width = units[0].get("units")
    wrong = _certain(loss.family, targets, kind, width)
    if wrong:
        proper = (
            "sparse_categorical_crossentropy"
            if kind == "whole_numbers" and loss.is_crossentropy
            else "mse"
        )
        return Found(
            "critical",
            wrong,
            remedies=(fix_output("a loss for such targets", None, proper),),
            details={"confidence": 0.98, "evidence": {"loss": loss.name, "kind": kind}},
        )
    if loss.family == "values" and kind in ZERO_ONE:
        columns = targets.get("n_columns", 1)
        absolute = loss.name == "mean_absolute_error"
        activation = "softmax" if kind == "one_hot" and columns > 1 else "sigmoid"
        why = (
            "its best constant answer is the median, 0 or 1, where the output saturates"
            if absolute
            else "its gradient fades where the output is sure and wrong"
        )
        return Found(
            "info",
            f"The targets are 0 and 1, but the loss is '{loss.name}': {why}.",
            risk="critical",
            remedies=(
                fix_output(
                    "the likelihood of classes has a gradient everywhere",
                    activation,
                    "categorical_crossentropy"
                    if activation == "softmax"
                    else "binary_crossentropy",
                ),
            ),
            details={
                "confidence": 0.8 if absolute else 0.5,
                "evidence": {"loss": loss.name, "kind": kind},
            },
        )
    return f"'{loss.name}' suits targets that are {kind}"


def _certain(
    family: str, targets: dict[str, Any], kind: str, width: int | None
) -> str | None:
    low, high, columns = targets["min"], targets["max"], targets.get("n_columns", 1)
    if family == "zero_one" and (low < 0 or high > 1):
        return (
            "Binary cross-entropy is for targets from 0 to 1, but these reach from "
            f"{low:.4g} to {high:.4g}."
        )
    if family == "class_numbers":
        if columns > 1 and kind in ("one_hot", "probabilities"):
            return "The loss is for class numbers, but the targets are one-hot."
        if kind not in ("whole_numbers", "binary"):
            return (
                "The loss is for class numbers, but the targets are no whole numbers."
            )
        if width and high >= width:
            return (
                f"There are class numbers up to {high:.0f}, but only {width} outputs."
            )
    if family == "one_hot":
        if columns == 1 and width and width > 1:
            return "The loss is for one-hot targets, but these are class numbers."
        if low < 0 or (columns > 1 and kind == "multi_label"):
            return "The loss is for one class per row, but the rows do not add up to 1."
        if columns == 1 and width == 1:
            return (
                "Categorical cross-entropy over a single output is zero whatever the "
                "output."
            )
    return None
