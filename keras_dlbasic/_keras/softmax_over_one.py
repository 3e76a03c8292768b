"""Layers whose softmax is over an axis of length one."""

from __future__ import annotations

from typing import Any

from keras_dlbasic._keras.activations import activation_name
from keras_dlbasic._keras.connections import calls_of
from keras_dlbasic._keras.layer_kinds import core_of


def softmax_over_one(layer: Any) -> bool:
    """Return whether a softmax is over a single entry, and so gives 1 whatever it gets.

    Args:
        layer: A built layer. Of a `Softmax` layer the inputs are known only in
            functional and `Sequential` models; elsewhere the answer is `False`.
    """
    core = core_of(layer)
    if activation_name(layer) != "softmax":
        return False
    if getattr(core, "units", None) == 1:
        return True
    axis = getattr(core, "axis", None)
    if type(axis) is not int:
        return False
    shapes = [tensor.shape for call in calls_of(layer) for tensor in call.input_tensors]
    return bool(shapes) and all(shape[axis] == 1 for shape in shapes)
