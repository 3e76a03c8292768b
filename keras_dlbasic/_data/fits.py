"""Whether rows fit the inputs of a model."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import keras

from keras_dlbasic._data import kinds
from keras_dlbasic._data.names import Names
from keras_dlbasic._data.tables import columns_of
from keras_dlbasic._keras.declared_inputs import declared_inputs

Sizes = tuple[int, ...]
Shape = tuple[int | None, ...]


def named_columns(model: Any, x: Any, y: Any, names: Names) -> tuple[Any, Any]:
    """Return data frames as the dictionaries that a model's inputs and outputs want.

    Args:
        model: A model, or None.
        x: Inputs; a data frame with a column for each of several inputs is taken apart.
        y: Targets, likewise.
        names: What errors call these.

    Raises:
        ValueError: If a data frame of inputs lacks a column for one of several inputs.
    """
    inputs = declared_inputs(model) or {}
    if len(inputs) > 1 and kinds.is_table(x):
        x = _chosen(x, list(inputs), names.x) or x
        if kinds.is_table(x):
            raise ValueError(_no_columns(model, list(inputs), x, names.x))
    outputs = list(getattr(model, "output_names", None) or ())
    if len(outputs) > 1 and kinds.is_table(y):
        y = _chosen(y, outputs, names.y) or y
    return x, y


def check_number(model: Any, x: Any, name: str = "x") -> None:
    """Check the number and the names of inputs.

    Args:
        model: A model.
        x: Inputs, as arrays.
        name: How errors call `x`.

    Raises:
        ValueError: If there are others than the model declares.
    """
    inputs = declared_inputs(model)
    if inputs is not None:
        _pairs(model, inputs, x, name)


def check_fits(model: Any, x: Any, name: str = "x", y: Any = None) -> None:
    """Check the number and the shapes of inputs as Keras will.

    Args:
        model: A model.
        x: Inputs, as arrays.
        name: How errors call `x`.
        y: Targets, to find out whether both were given in each other's place. Defaults
            to None.

    Raises:
        ValueError: If they do not fit what the model declares.
    """
    inputs = declared_inputs(model)
    if inputs is None:
        return
    for (label, tensor), leaf in _pairs(model, inputs, x, name):
        given, wanted = tuple(leaf.shape), tuple(tensor.shape)
        if not _fit(given, wanted):
            one = len(inputs) == 1
            called = f"`{name}`" if one else f"`{name}` for the input '{label}'"
            raise ValueError(
                f"{called} has the shape {_said(given)}, but the model '{model.name}' "
                f"takes {_said((None, *wanted[1:]))}."
                + _way(given, wanted, name)
                + (_if_swapped(y, wanted) if one else "")
            )


def _if_swapped(y: Any, wanted: Shape) -> str:
    """Return what to do if both are in each other's place, where targets would fit."""
    leaves = [leaf for leaf in keras.tree.flatten(y) if leaf is not None]
    if len(leaves) != 1 or not _fit(tuple(leaves[0].shape), wanted):
        return ""
    return (
        f" `y`, of shape {_said(tuple(leaves[0].shape))}, would fit: if both were "
        "swapped, give the inputs first, then the targets."
    )


def _pairs(model: Any, inputs: dict[str, Any], x: Any, name: str) -> list[Any]:
    if isinstance(x, Mapping):
        missing = [label for label in inputs if label not in x]
        if missing and len(inputs) == len(x) == 1:
            raise ValueError(
                f"`{name}` is a dictionary with the key {next(iter(x))!r}, but the "
                f"only input of the model '{model.name}' is called {missing[0]!r}. "
                f"Give the array itself: `{name}[{next(iter(x))!r}]`."
            )
        if missing:
            raise ValueError(
                f"`{name}` has no entry for the input {', '.join(map(repr, missing))} "
                f"of the model '{model.name}'. Received: {list(x)}; the inputs are: "
                f"{list(inputs)}."
            )
        return [(item, x[item[0]]) for item in inputs.items()]
    leaves = [leaf for leaf in keras.tree.flatten(x) if leaf is not None]
    if len(leaves) != len(inputs):
        advice = ""
        if len(inputs) == 1 and len(leaves) == 2:
            advice = f" Give inputs and targets apart: `{name}, y`, not `({name}, y)`."
        elif len(inputs) == 1:
            advice = f" Make one array of them: `{name} = numpy.stack({name})`."
        elif len(leaves) == 1:
            advice = f" {_dictionary(list(inputs), name)}"
        raise ValueError(
            f"`{name}` holds {_number(len(leaves), 'array')}, but the model "
            f"'{model.name}' has {_number(len(inputs), 'input')}.{advice}"
        )
    return list(zip(inputs.items(), leaves, strict=True))


def _chosen(table: Any, wanted: list[str], name: str) -> dict[str, Any] | None:
    """Return some columns of a table; None if it is a series, or lacks one."""
    columns = columns_of(table, name)
    if columns is None or not set(wanted) <= set(columns):
        return None
    return {column: columns[column] for column in wanted}


def _no_columns(model: Any, inputs: list[str], table: Any, name: str) -> str:
    columns = columns_of(table, name) or {}
    missing = [label for label in inputs if label not in columns]
    return (
        f"`{name}` is a table without a column for the "
        f"input{'s' * (len(missing) > 1)} {_some(missing)} of the model "
        f"'{model.name}'. Its columns are: {_some(list(columns)) or 'none'}. Rename "
        "them, or give a dictionary with an array for each input."
    )


def _dictionary(inputs: list[str], name: str) -> str:
    """Return how to give an array for each input."""
    shown = [f"{label!r}: {name}[{label!r}]" for label in inputs[:2]]
    shown += ["..."] if len(inputs) > 2 else []
    return (
        "Give a dictionary with an array for each input; of the columns of a table: "
        f"`{{{', '.join(shown)}}}`."
    )


def _fit(given: Sizes, wanted: Shape) -> bool:
    if len(given) == len(wanted) - 1 and wanted[-1] == 1:
        given = (*given, 1)  # Keras adds the last axis, or takes it away
    elif len(given) == len(wanted) + 1 and given[-1] == 1:
        given = given[:-1]
    if len(given) != len(wanted):
        return False
    pairs = zip(given[1:], wanted[1:], strict=True)
    return all(want is None or have == want for have, want in pairs)


def _some(names: list[str]) -> str:
    """Return some names of many."""
    shown = [repr(name) for name in names[:5]]
    return ", ".join([*shown, "..."] if len(names) > 5 else shown)


def _number(n: int, what: str) -> str:
    return f"{n} {what}{'s' * (n != 1)}"


def _said(shape: Shape) -> str:
    sizes = ["rows" if shape[0] is None else str(shape[0])]
    sizes += ["any" if size is None else str(size) for size in shape[1:]]
    return f"({', '.join(sizes)}{',' * (len(sizes) == 1)})"


def _way(given: Sizes, wanted: Shape, name: str) -> str:
    """Return what may be done about a shape."""
    if len(given) == len(wanted) - 1 and given == tuple(wanted[1:]):
        return f" One row is a batch too: `{name}[None]`."
    if len(given) == len(wanted) == 4 and _fit(
        (given[0], *given[2:], given[1]), wanted
    ):
        return f" Put channels last: `numpy.moveaxis({name}, 1, -1)`."
    if len(wanted) == 2 and len(given) > 2 and math.prod(given[1:]) == wanted[1]:
        return f" Flatten the rows: `{name}.reshape(len({name}), -1)`."
    if len(given) == 1:
        return (
            f" One value for each row is one column: `{name}[:, None]`. Are these the "
            "inputs, with all their columns?"
        )
    sizes = ", ".join(str(size) for size in given[1:])
    return (
        f" Give the columns that the model was built for, or build it with "
        f"`keras.Input(({sizes}{',' * (len(given) == 2)}))`."
    )
