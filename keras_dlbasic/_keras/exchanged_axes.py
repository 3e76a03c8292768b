"""Reshapes that exchange axes without moving the entries."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import prod
from typing import Any

import keras

from keras_dlbasic._keras.connections import calls_of
from keras_dlbasic._keras.graph import all_layers
from keras_dlbasic.records.printable import printable


def exchanging_reshapes(model: Any) -> list[str]:
    """Return the reshapes in the graph of a model that put its axes in another order.

    To exchange the axes of a tensor takes a transposition. A reshape to the exchanged
    shape keeps the order of the entries, and so mixes what lies along the axes. Where
    one of two axes divides the other, only inputs of the model count: within it, steps
    may be put together, or made of features.

    Args:
        model: A built model.

    Returns:
        A text for each, such as `"reshape: (2, 28) to (28, 2)"`. Empty where a model
        has no graph.

    Example:
    >>> import keras
    >>> from keras_dlbasic._keras.exchanged_axes import exchanging_reshapes
    >>> layers = [keras.layers.Reshape((28, 2), name="turn"), keras.layers.Dense(3)]
    >>> exchanging_reshapes(keras.Sequential([keras.Input((2, 28)), *layers]))
    ['turn: (2, 28) to (28, 2)']
    """
    given = [tensor.shape for tensor in getattr(model, "inputs", None) or ()]
    found: list[str] = []
    for operation in _operations(model):
        for call in calls_of(operation):
            before, after = call.input_tensors[0].shape, call.output_tensors[0].shape
            if not exchanges_axes(before[1:], after[1:]):
                continue
            if before in given or not is_fold(before[1:]):
                found.append(f"{printable(operation.name)}: {told(before, after)}")
    return list(dict.fromkeys(found))


def is_fold(before: Sequence[Any]) -> bool:
    """Return whether steps and features may be exchanged on purpose.

    Several steps become the features of one, or the features of one several steps, as
    where a resolution is raised: of two axes, one divides the other.

    Args:
        before: Shape of a row, all of which is known.
    """
    long = sorted(n for n in before if n > 1)
    return len(long) == 2 and long[1] % long[0] == 0


def told(before: Sequence[Any], after: Sequence[Any]) -> str:
    """Return both shapes of a row as text."""
    return f"{tuple(before[1:])} to {tuple(after[1:])}"


def exchanges_axes(before: Sequence[Any], after: Sequence[Any]) -> bool:
    """Return whether two shapes of a row have the same axes in another order.

    Axes of length one do not count: to move them moves no entry.
    """
    long = [[n for n in shape if n != 1] for shape in (before, after)]
    if any(type(n) is not int for shape in long for n in shape):
        return False
    return long[0] != long[1] and sorted(long[0]) == sorted(long[1])


def whole_shape(shape: Sequence[Any], size: int) -> tuple[Any, ...]:
    """Return a shape in which -1 stands for the number that makes up a size."""
    rest = prod(n for n in shape if n != -1)
    return tuple(size // max(1, rest) if n == -1 else n for n in shape)


def _operations(model: Any) -> Iterator[Any]:
    seen: set[int] = set()
    for layer in all_layers(model):
        for one in (layer, *getattr(layer, "operations", ())):
            is_reshape = isinstance(one, keras.Operation) and (
                type(one).__name__ == "Reshape"
            )
            if is_reshape and id(one) not in seen:
                seen.add(id(one))
                yield one
