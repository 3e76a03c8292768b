"""Whether a model of Keras' layers joins the rows of a batch."""

from __future__ import annotations

from typing import Any

import keras

from keras_dlbasic._keras.connections import calls_of
from keras_dlbasic._keras.graph import all_layers

BY_ENTRY = (
    "Absolute Add Arctan Cast Ceil Clip Copy Cos Divide DivideNoNan Equal Erf Exp "
    "Expm1 Floor FloorDivide Greater GreaterEqual Less LessEqual Log Log10 Log1p Log2 "
    "LogicalAnd LogicalNot LogicalOr Maximum Minimum Mod Multiply NanToNum Negative "
    "NotEqual OnesLike Power Reciprocal Round Rsqrt Sign Sin Sqrt Square StopGradient "
    "Subtract TrueDivide Where ZerosLike "
    "Celu Elu Gelu HardShrink HardSigmoid HardSilu HardTanh LeakyRelu LogSigmoid Relu "
    "Relu6 Selu Sigmoid Silu SoftShrink Softplus Softsign Squareplus Tanh TanhShrink "
    "Threshold"
)
"""Classes of operations that work entry by entry, by name."""


def joins_rows(model: Any) -> bool:
    """Return whether operations of a functional model may join rows of the batch.

    So it is with `keras.ops.mean(x, axis=0)`, and with a layer that concatenates along
    the first axis. What is not known to keep rows apart may join them.

    Args:
        model: A model without code of the user's.

    Example:
    >>> import keras
    >>> from keras_dlbasic._keras.joins_rows import joins_rows
    >>> x = keras.Input((4,))
    >>> apart = keras.Model(x, x - keras.ops.mean(x, axis=1, keepdims=True))
    >>> joined = keras.Model(x, x - keras.ops.mean(x, axis=0, keepdims=True))
    >>> joins_rows(apart), joins_rows(joined)
    (False, True)
    """
    parts = {id(part): part for part in all_layers(model)}
    for layer in all_layers(model):
        parts |= {id(part): part for part in getattr(layer, "operations", ())}
    return any(map(_joins, parts.values()))


def _joins(operation: Any) -> bool:
    is_layer = isinstance(operation, keras.layers.Layer)
    axes = keras.tree.flatten(getattr(operation, "axis", None))
    axes = [axis for axis in axes if isinstance(axis, int)]
    if not axes:  # without `axis=`, a reduction goes over all axes
        return not is_layer and type(operation).__name__ not in BY_ENTRY.split()
    # Counted from the end, the axis of the rows is as far as there are axes.
    ranks = [
        len(tensor.shape)
        for node in calls_of(operation)
        for tensor in node.input_tensors
    ]
    rank = min(ranks, default=max(map(abs, axes)) + 1)
    return any(axis == 0 or axis <= -rank for axis in axes)
