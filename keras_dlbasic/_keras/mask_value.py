"""The value that a model takes for padding."""

from __future__ import annotations

from typing import Any

from keras_dlbasic._keras.graph import walk_layers
from keras_dlbasic._keras.layer_kinds import kind_of


def mask_value(model: Any, *, ids: bool) -> float | None:
    """Return the value of the steps that a model masks; None if it masks none.

    Args:
        model: A built model.
        ids: Whether it is asked of ids, which embeddings mask, or of values.

    Example:
    >>> import keras
    >>> from keras_dlbasic._keras.mask_value import mask_value
    >>> inputs = keras.Input((None, 3))
    >>> model = keras.Model(inputs, keras.layers.Masking(-1.0)(inputs))
    >>> mask_value(model, ids=False)
    -1.0
    """
    for layer, _, _, _ in walk_layers(model):
        if ids and getattr(layer, "mask_zero", False):
            return 0.0
        if not ids and kind_of(layer).kind == "masking":
            return float(layer.mask_value)
    return None
