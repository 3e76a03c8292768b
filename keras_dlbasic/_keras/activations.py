"""Which activation a layer applies, by name and as a function."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras

ACTIVATION_LAYERS = {
    keras.layers.ReLU: "relu",
    keras.layers.LeakyReLU: "leaky_relu",
    keras.layers.PReLU: "leaky_relu",
    keras.layers.ELU: "elu",
    keras.layers.Softmax: "softmax",
}


def activation_name(layer: Any) -> str | None:
    """Return the name of a layer's activation; None for a linear layer."""
    for kind, name in ACTIVATION_LAYERS.items():
        if isinstance(layer, kind):
            return name
    function = inline_activation(layer)
    if function is None:
        return None
    if isinstance(function, keras.layers.Layer):
        return activation_name(function) or "custom"
    name = getattr(function, "__name__", "")
    return name if function is getattr(keras.activations, name, None) else "custom"


def activation_function(layer: Any) -> Any:
    """Return what a layer applies last, as a name or a callable; None if linear."""
    if isinstance(layer, keras.layers.PReLU):
        return "relu"  # its slope is a weight, and small at first
    if isinstance(layer, (keras.layers.Softmax, keras.layers.ReLU)):
        bent = getattr(layer, "negative_slope", 0) or getattr(layer, "threshold", 0)
        return layer if bent else activation_name(layer)
    if isinstance(layer, tuple(ACTIVATION_LAYERS)):
        return layer
    function = (
        inline_activation(layer) if isinstance(layer, keras.layers.Layer) else None
    )
    if isinstance(function, keras.layers.Layer):
        return activation_function(function)
    if function in (keras.activations.softmax, keras.activations.log_softmax):
        return activation_name(layer)  # couples units: known by name only
    return function


def inline_activation(layer: Any) -> Callable[..., Any] | None:
    """Return the function that a layer applies last, if it is not the identity."""
    is_recurrent = isinstance(layer, keras.layers.RNN) or hasattr(layer, "state_size")
    if is_recurrent or isinstance(layer, tuple(ACTIVATION_LAYERS)):
        return None
    function = getattr(layer, "activation", None)
    if not callable(function) or function is keras.activations.linear:
        return None
    return function


def channel_axis(layer: Any) -> int:
    """Return the axis of a layer's outputs that counts its units."""
    return 1 if getattr(layer, "data_format", None) == "channels_first" else -1
