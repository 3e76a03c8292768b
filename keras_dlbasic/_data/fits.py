"""Whether rows fit the inputs of a model."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import keras

from keras_dlbasic._data import kinds
from keras_dlbasic._data.tables import columns_of
from keras_dlbasic._keras.declared_inputs import declared_inputs

Sizes = tuple[int, ...]
Shape = tuple[int | None, ...]


def named_columns(model: Any, x: Any, y: Any) -> tuple[Any, Any]:
    """Return data frames as the dictionaries that a model's inputs and outputs want.

    Args:
        model: A model, or None.
        x: Inputs; a data frame with a column for each of several inputs is taken apart.
        y: Targets, likewise.
    """
    inputs = declared_inputs(model) or {}
    if len(inputs) > 1 and kinds.is_table(x):
        x = columns_of(x, list(inputs)) or x
    outputs = list(getattr(model, "output_names", None) or ())
    if len(outputs) > 1 and kinds.is_table(y):
        y = columns_of(y, outputs) or y
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


def check_fits(model: Any, x: Any, name: str = "x") -> None:
    """Check the number and the shapes of inputs as Keras will.

    Args:
        model: A model.
        x: Inputs, as arrays.
        name: How errors call `x`.

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
                f"takes {_said((None, *wanted[1:]))}.{_way(given, wanted, name)}"
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
        raise ValueError(
            f"`{name}` holds {len(leaves)} arrays, but the model '{model.name}' has "
            f"{len(inputs)} input{'s' * (len(inputs) > 1)}.{advice}"
        )
    return list(zip(inputs.items(), leaves, strict=True))


def _fit(given: Sizes, wanted: Shape) -> bool:
    if len(given) == len(wanted) - 1 and wanted[-1] == 1:
        given = (*given, 1)  # Keras adds the last axis, or takes it away
    elif len(given) == len(wanted) + 1 and given[-1] == 1:
        given = given[:-1]
    if len(given) != len(wanted):
        return False
    pairs = zip(given[1:], wanted[1:], strict=True)
    return all(want is None or have == want for have, want in pairs)


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
    sizes = ", ".join(str(size) for size in given[1:])
    return (
        f" Give the columns that the model was built for, or build it with "
        f"`keras.Input(({sizes}{',' * (len(given) == 2)}))`."
    )
