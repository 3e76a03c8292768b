"""Which layers can have more or fewer units."""

from __future__ import annotations

from typing import Any

import keras

from keras_dlbasic._keras.graph import walk_layers
from keras_dlbasic._keras.layer_kinds import KERNELS, SIZES, core_of, kind_of
from keras_dlbasic._keras.outputs import output_part

SAME_WIDTH = ("Add", "Subtract", "Multiply", "Divide", "Average", "Maximum", "Minimum")
"""Classes of layers and operations that take their inputs entry by entry."""

INPUT = -1
"""Stands among the `id`s of layers for a width that is given: that of an input."""


def resizable_layers(model: Any) -> list[Any]:
    """Return the hidden layers whose number of units is free.

    Raises:
        ValueError: If the model is not built or its connections are not known.
    """
    left_alone = output_part(model) | fixed_widths(model)
    kinds = (*KERNELS, "recurrent", "embedding")
    layers = [layer for layer, *_ in walk_layers(model)]
    return [x for x in layers if id(x) not in left_alone and kind_of(x).kind in kinds]


def fixed_widths(model: Any) -> set[int]:
    """Return the `id`s of the layers whose units are counted elsewhere.

    So it is with a layer whose output is added to an input of the model (or to that of
    another layer that is fixed), and with one before a `Reshape`. Layers that are added
    to each other only are free: they can change together.

    Args:
        model: A built Sequential or Functional model; nested models are included.

    Example:
    >>> import keras
    >>> from keras_dlbasic._keras.fixed_widths import fixed_widths
    >>> x = keras.Input((4,))
    >>> first, second = keras.layers.Dense(4), keras.layers.Dense(9)
    >>> model = keras.Model(x, second(keras.layers.add([x, first(x)])))
    >>> fixed_widths(model) == {id(first)}
    True
    """
    ties: list[set[int]] = []
    _walk(model, ties)
    fixed = {INPUT}
    while True:  # what is tied to a fixed width is fixed
        more = set().union(*(tie for tie in ties if tie & fixed)) - fixed
        if not more:
            return fixed - {INPUT}
        fixed |= more


def _walk(model: Any, ties: list[set[int]]) -> None:
    """Add what must have one width, for each operation of a model, in order."""
    widths: dict[int, set[int]] = {}
    for operation, inputs, outputs in _calls(model):
        if isinstance(operation, keras.Model):
            _walk(operation, ties)
        taken = [widths.get(i, {INPUT}) for i in inputs]
        given = _given(operation, taken, ties)
        widths.update(dict.fromkeys(outputs, given))


def _calls(model: Any) -> list[tuple[Any, list[int], list[int]]]:
    """Return the operations of a model with the `id`s of what they take and give."""
    if isinstance(model, keras.Sequential):
        # Layers of a `Sequential` model need no graph. Negative numbers stand for the
        # tensors between them; they cannot be mistaken for an `id`.
        places = range(1, len(model.layers) + 1)
        return [
            (layer, [-i], [-i - 1])
            for i, layer in zip(places, model.layers, strict=True)
        ]
    found = []
    for operation in getattr(model, "operations", ()):
        for node in operation._inbound_nodes:
            taken = [id(tensor) for tensor in node.input_tensors]
            found.append((operation, taken, [id(t) for t in node.output_tensors]))
    return found


def _given(operation: Any, taken: list[set[int]], ties: list[set[int]]) -> set[int]:
    """Return what sets the width of an operation's output; INPUT if it is given."""
    if not taken or isinstance(operation, (keras.layers.InputLayer, keras.Model)):
        return {INPUT}
    kind = kind_of(operation).kind
    # Layers with a size set the width themselves; it goes on through layers that have
    # none.
    if any(hasattr(core_of(operation), name) for name in SIZES):
        return {id(operation)}
    if kind == "attention":
        return taken[0]  # as wide as its queries
    together: set[int] = set().union(*taken)
    if type(operation).__name__ in SAME_WIDTH and len(taken) > 1:
        ties.append(together)
    if type(operation).__name__ in ("Reshape", "Permute", "Transpose"):
        ties.append(together | {INPUT})
        return {INPUT}
    return together
