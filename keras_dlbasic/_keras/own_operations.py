"""Whether a model computes anything that its layers do not show."""

from __future__ import annotations

from typing import Any

import keras

LINEAR = (
    "Add",
    "Subtract",
    "Negative",
    "Sum",
    "Mean",
    "Concatenate",
    "Stack",
    "Reshape",
    "Transpose",
    "Squeeze",
    "ExpandDims",
    "GetItem",
    "Cast",
    "Identity",
)
"""Classes of operations after which linear layers are still linear."""


def may_act_between_layers(model: Any) -> bool:
    """Return whether operations that no layer shows may bend what a model computes.

    That is so in a `call` of the user's, and where a functional model applies an
    operation such as `keras.ops.relu` to a tensor.

    Args:
        model: A model, built or not.

    Example:
    >>> import keras
    >>> from keras_dlbasic._keras.own_operations import may_act_between_layers
    >>> x = keras.Input((4,))
    >>> plain = keras.Model(x, keras.layers.Dense(2)(keras.layers.Dense(3)(x)))
    >>> y = keras.layers.Dense(2)(keras.ops.relu(keras.layers.Dense(3)(x)))
    >>> may_act_between_layers(plain), may_act_between_layers(keras.Model(x, y))
    (False, True)
    """
    if not type(model).call.__module__.startswith("keras."):
        return True
    is_sequential = isinstance(model, keras.Sequential)
    parts = model.layers if is_sequential else getattr(model, "operations", None)
    if parts is None:  # without `call`: a `train_step` puts its parts together
        return True
    return any(
        may_act_between_layers(part)
        if isinstance(part, keras.Model)
        else not isinstance(part, keras.layers.Layer)
        and type(part).__name__ not in LINEAR
        for part in parts
    )
