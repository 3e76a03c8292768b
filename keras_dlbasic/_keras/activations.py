"""Which activation a layer applies, by name and as a function."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import keras

from keras_dlbasic._keras.layer_kinds import class_kind, core_of, kind_of


def activation_name(layer: Any) -> str | None:
    """Return the name of a layer's activation; None for a linear layer."""
    known = kind_of(layer).activation
    if known is not None:
        return known
    if not isinstance(core_of(layer), keras.layers.Layer):
        return _operation_name(layer)
    function = inline_activation(layer)
    if function is None:
        return None
    if isinstance(function, keras.layers.Layer):
        return activation_name(function) or "custom"
    name = getattr(function, "__name__", "")
    return name if function is getattr(keras.activations, name, None) else "custom"


def activation_function(layer: Any) -> Any:
    """Return what a layer applies last, as a name or a callable; None if linear."""
    layer = core_of(layer)
    known = kind_of(layer).activation
    if isinstance(layer, keras.layers.PReLU):
        return "relu"  # its slope is a weight, and small at first
    # A ReLU with a slope or a threshold is another function than `relu`, so the layer
    # itself is returned.
    if known in ("softmax", "relu"):
        bent = getattr(layer, "negative_slope", 0) or getattr(layer, "threshold", 0)
        return layer if bent else known
    if known is not None:
        return layer
    if not isinstance(layer, keras.layers.Layer):
        return getattr(keras.activations, _operation_name(layer) or "", None)
    function = inline_activation(layer)
    if isinstance(function, keras.layers.Layer):
        return activation_function(function)
    if function in (keras.activations.softmax, keras.activations.log_softmax):
        return activation_name(layer)  # couples units: known by name only
    return function


def inline_activation(layer: Any) -> Callable[..., Any] | None:
    """Return the function that a layer applies last, if it is not the identity."""
    layer = core_of(layer)
    kind = class_kind(type(layer))
    # A recurrent layer applies its activation within each step, and not to what it
    # gives last. An activation layer is known by its kind.
    is_recurrent = kind.kind == "recurrent" or hasattr(layer, "state_size")
    if is_recurrent or kind.activation:
        return None
    function = getattr(layer, "activation", None)
    if not callable(function) or function is keras.activations.linear:
        return None
    return function


def channel_axis(layer: Any) -> int:
    """Return the axis of a layer's outputs that counts its units."""
    data_format = getattr(core_of(layer), "data_format", None)
    return 1 if data_format == "channels_first" else -1


def _operation_name(operation: Any) -> str | None:
    """Return the name of the activation that an operation of `keras.ops` is."""
    # Operations are named in camel case, such as `LeakyRelu`, and functions in snake
    # case.
    words = re.findall("[A-Z][a-z0-9]*", type(operation).__name__)
    name = "_".join(words).lower()
    return name if callable(getattr(keras.activations, name, None)) else None
