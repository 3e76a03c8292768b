"""Layers that everything a model is given has to pass."""

from __future__ import annotations

from typing import Any

import keras

from keras_dlbasic._keras.connections import inputs_of, operation_of


def only_ways(model: Any) -> list[Any]:
    """Return the layers without which no way leads from the inputs to the outputs.

    Args:
        model: A built model.

    Returns:
        Layers of the model itself, not those of models within it, in the order of
        `model.layers`; none where the connections are not known, as those of a
        subclassed model.

    Example:
    >>> import keras
    >>> from keras_dlbasic._keras.only_ways import only_ways
    >>> inputs = keras.Input((4,))
    >>> first = keras.layers.Dense(3, name="first")(inputs)
    >>> beside = keras.layers.Dense(3, name="beside")(first)
    >>> model = keras.Model(inputs, keras.layers.Add(name="sum")([first, beside]))
    >>> [layer.name for layer in only_ways(model)]
    ['first', 'sum']
    """
    if isinstance(model, keras.Sequential):
        return list(model.layers)
    try:
        outputs = keras.tree.flatten(model.outputs)
        return [
            layer
            for layer in model.layers
            if not isinstance(layer, keras.layers.InputLayer)
            and not _is_reached(outputs, layer)
        ]
    except Exception:  # a subclassed model, whose connections are those of its code
        return []


def _is_reached(outputs: list[Any], without: Any) -> bool:
    """Return whether an input leads to an output by another way than a layer."""
    waiting, seen = list(outputs), set[int]()
    while waiting:
        tensor = waiting.pop()
        operation = operation_of(tensor)
        if id(tensor) in seen or operation is without:
            continue
        seen.add(id(tensor))
        if isinstance(operation, keras.layers.InputLayer):
            return True
        waiting += inputs_of(tensor)
    return False
