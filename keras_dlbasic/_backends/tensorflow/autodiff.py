"""The gradient of a function of tensors, on TensorFlow."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf

Scalar = Callable[[list[Any]], Any]


def gradient(function: Scalar, at: list[Any]) -> list[Any]:
    """Return the gradients of a scalar function with respect to its tensors."""
    with tf.GradientTape() as tape:
        for tensor in at:
            tape.watch(tensor)
        value = function(at)
    return tape.gradient(value, at, unconnected_gradients=tf.UnconnectedGradients.ZERO)


def shaped_like(function: Callable[[], Any]) -> Any:
    """Return tensors of the shapes that a function gives: here what it gives."""
    return function()


def loss_divisor() -> int:
    """Return the number by which Keras divides losses here: that of the replicas."""
    return int(tf.distribute.get_strategy().num_replicas_in_sync)
