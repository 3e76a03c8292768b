"""Inputs whose axes were exchanged by a reshape, which moves no entry."""

from __future__ import annotations

from keras_dlbasic.diagnosis import Finding, Fine, Run, Verdict, rule, suggest
from keras_dlbasic.diagnosis.finding import Severity
from keras_dlbasic.diagnosis.symptoms import NOT_LEARNING
from keras_dlbasic.records import InputFacts


@rule(kind="cause", explains=(*NOT_LEARNING, "overfitting"), needs=("inputs",))
def inputs_scrambled(run: Run) -> Verdict:
    """Look for a reshape that was meant to exchange axes.

    A reshape from channels first to channels last, or from features by steps to steps
    by features, runs without an error, but keeps the order of the entries. Each row is
    then scrambled. In the data this shows where smooth pictures or series jump: where
    the lines of the former shape end. In the model, a reshape whose result has the same
    axes in another order is reported. It is a warning if the trained model is not good.

    Args:
        run: The run.
    """
    for facts in run.inputs:
        if facts.former_shape is not None:
            return _of_data(run, facts, facts.former_shape)
    if run.model.exchanged_axes:
        return _of_model(run, run.model.exchanged_axes)
    return Fine("no reshape is known that exchanges axes")


def _of_data(run: Run, facts: InputFacts, old: tuple[int, ...]) -> Finding:
    new = facts.shape[1:]
    sizes, order = ", ".join(map(str, old)), ", ".join(map(str, _order(old, new)))
    return Finding(
        severity=_severity(run),
        message=(
            f"The rows of input {facts.name!r} have the shape {new}, but their values "
            f"are smooth as in the shape {old}, and jump where its lines end. A "
            "reshape to other axes keeps the order of the values, so the rows are "
            "scrambled."
        ),
        risk="critical",
        value=float(old[-1]),
        unit="values from jump to jump",
        confidence=0.85,
        evidence={"former_shape": list(old)},
        remedies=(
            suggest.by_hand(
                f"x = x.reshape(-1, {sizes}).transpose(0, {order})",
                "a transposition moves the values along with the axes",
            ),
        ),
    )


def _order(old: tuple[int, ...], new: tuple[int, ...]) -> list[int]:
    """Return where each axis of the new shape is in the old one, rows being axis 0."""
    left = list(enumerate(old, start=1))
    order = []
    for length in new:
        place = next(axis for axis, n in left if n == length)
        left = [(axis, n) for axis, n in left if axis != place]
        order.append(place)
    return order


def _of_model(run: Run, places: tuple[str, ...]) -> Finding:
    n = len(places)
    more = f" (and {n - 1} more)" if n > 1 else ""
    return Finding(
        severity=_severity(run) if run.outcome.is_known else "info",
        message=(
            f"A reshape in the model has the same axes in another order, {places[0]}"
            f"{more}. It keeps the order of the values, so it does not exchange the "
            "axes but mixes what lies along them."
        ),
        risk="critical",
        value=float(n),
        threshold=0.0,
        unit="reshapes",
        confidence=0.75,
        evidence={"reshapes": list(places)},
        remedies=(
            suggest.by_hand(
                "exchange axes with `keras.layers.Permute` or `keras.ops.transpose`",
                "a transposition moves the values along with the axes",
            ),
        ),
    )


def _severity(run: Run) -> Severity:
    """Return how serious it is: a model that is good does not need the order."""
    if run.live or run.is_planned or run.outcome.is_good:
        return "info"
    return "warning"
