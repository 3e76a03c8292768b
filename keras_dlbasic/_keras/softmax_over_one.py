"""Layers whose softmax is over an axis of length one."""

from __future__ import annotations

from typing import Any

from keras_dlbasic._keras.activations import activation_name
from keras_dlbasic._keras.connections import calls_of
from keras_dlbasic._keras.layer_kinds import core_of


def softmax_over_one(layer: Any) -> bool:
    """Return whether a softmax is over a single entry, and so gives 1 whatever it gets.

    Args:
        layer: A built layer of a functional or `Sequential` model; of others the
            shapes are not known, and the answer is `False`.
    """
    if core_of(layer) is not layer or activation_name(layer) != "softmax":
        return False
    axis = getattr(layer, "axis", -1)
    if type(axis) is not int:
        return False
    shapes = [call.output_tensors[0].shape for call in calls_of(layer)]
    return bool(shapes) and all(_is_over_one(shape, axis) for shape in shapes)


def _is_over_one(shape: tuple[int | None, ...], axis: int) -> bool:
    """Return whether an axis has length one, and another one is longer."""
    rank = len(shape)
    if not -rank <= axis < rank or shape[axis] != 1 or axis % rank == 0:
        return False
    others = [n for at, n in enumerate(shape) if at not in (0, axis % rank)]
    return any(n is None or n > 1 for n in others)
