"""The operations that outputs come from, on TensorFlow: read off a graph."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_dlbasic._backends.operation import Operation

_NAMES = {
    **dict.fromkeys(("Reshape", "Squeeze", "ExpandDims", "StridedSlice"), "reshape"),
    **dict.fromkeys(("Slice", "BroadcastTo", "Tile", "Split", "Unpack"), "reshape"),
    **dict.fromkeys(("Identity", "IdentityN", "StopGradient"), "identity"),
    **dict.fromkeys(("PreventGradient", "CheckNumerics", "EnsureShape"), "identity"),
    **dict.fromkeys(("ReadVariableOp", "Const", "VariableV2"), "weight"),
    **dict.fromkeys(("ResourceGather", "GatherV2"), "gather"),
    **dict.fromkeys(("ConcatV2", "Pack"), "concatenate"),
    **dict.fromkeys(("Add", "AddV2", "AddN", "BiasAdd"), "add"),
    **dict.fromkeys(("MatMul", "BatchMatMul", "BatchMatMulV2", "Einsum"), "matmul"),
    **dict.fromkeys(("Conv2D", "Conv3D", "DepthwiseConv2dNative"), "convolution"),
    **dict.fromkeys(("Conv2DBackpropInput", "Conv3DBackpropInputV2"), "convolution"),
    **dict.fromkeys(("Rsqrt", "Sqrt"), "rsqrt"),
    **dict.fromkeys(("FusedBatchNorm", "FusedBatchNormV3"), "normalization"),
    "Cast": "cast",
    "Transpose": "transpose",
    "Sub": "subtract",
    "Mul": "multiply",
    "RealDiv": "divide",
    "Neg": "negative",
    **dict.fromkeys(("Minimum", "Maximum"), "limit"),
    "Sum": "sum",
    "Mean": "mean",
    "Exp": "exponential",
    "Relu": "relu",
    "Relu6": "relu6",
    "LeakyRelu": "leaky_relu",
    "LogSoftmax": "log_softmax",
    **{name.capitalize(): name for name in ("sigmoid", "softmax", "tanh", "elu")},
    **{name.capitalize(): name for name in ("softplus", "softsign", "selu")},
}
"""Of TensorFlow's kinds of operations."""

_FIRST_ONLY = ("reshape", "transpose", "cast", "sum", "mean", "gather")
"""What takes shapes, axes and places besides values."""


def traced(function: Callable[[Any], list[Any]], inputs: Any) -> list[Operation]:
    """Trace a function of tensors, without running it.

    Args:
        function: Returns a list of tensors.
        inputs: A structure of NumPy arrays.

    Returns:
        For each tensor, the operation that it comes from.
    """
    specs = keras.tree.map_structure(lambda a: tf.TensorSpec(a.shape, a.dtype), inputs)
    outputs: list[Any] = []

    def call(x: Any) -> None:
        outputs.extend(tf.convert_to_tensor(y) for y in function(x))

    concrete = tf.function(call, autograph=False).get_concrete_function(specs)
    # Weights come into the graph as placeholders as well: those are captured, the
    # others are given.
    captured = {id(t) for t in concrete.graph.internal_captures}
    given = {id(t) for t in concrete.graph.inputs} - captured
    known: dict[Any, Operation] = {}

    def operation_of(tensor: Any) -> Operation:
        key = tensor.ref()
        if key not in known:
            known[key] = _operation(tensor, id(tensor) in given, operation_of)
        return known[key]

    return [operation_of(tensor) for tensor in outputs]


def _operation(
    tensor: Any, is_input: bool, operation_of: Callable[[Any], Operation]
) -> Operation:
    op = tensor.op
    if op.type == "Placeholder":
        return Operation("input" if is_input else "weight")
    name = _NAMES.get(op.type, "other")
    values = list(op.inputs)
    # Besides values, operations take places, axes and shapes. Only the values lead back
    # to what the output was made of.
    if op.type == "IdentityN":
        values = [values[tensor.value_index]]
    elif op.type == "Split":
        values = values[1:]
    elif op.type == "ConcatV2":
        values = values[:-1]
    elif op.type.endswith(("BackpropInput", "BackpropInputV2")):
        values = values[1:]
    elif name in _FIRST_ONLY:
        values = values[:1]
    return Operation(name, lambda: [operation_of(v) for v in values], _axis(op))


def _axis(op: Any) -> Any:
    if op.type in ("Softmax", "LogSoftmax"):
        return -1
    if op.type not in ("Transpose", "Sum"):
        return None
    value = _fixed_value(op.inputs[1])
    if op.type == "Transpose":
        return None if value is None else tuple(int(n) for n in value)
    rank = op.inputs[0].shape.rank
    if value is None or value.size != 1 or rank is None:
        return None
    axis = int(value.reshape(-1)[0])
    return axis if axis < 0 else axis - rank


def _fixed_value(tensor: Any) -> Any:
    """Return the value of a tensor of axes, None if it is not known.

    Where a softmax is not over the last axis, TensorFlow exchanges axes, which it
    computes in the graph.
    """
    value = tf.get_static_value(tensor)
    if value is not None:
        return value
    arguments = [_fixed_value(t) for t in tensor.op.inputs]
    compute = _ARITHMETIC.get(tensor.op.type)
    if compute is None or any(argument is None for argument in arguments):
        return None
    return compute(*arguments)


_ARITHMETIC: dict[str, Callable[..., Any]] = {
    "AddV2": np.add,
    "Sub": np.subtract,
    "FloorMod": np.mod,
    "Range": np.arange,
    "Pack": lambda *parts: np.stack(parts),
    "ConcatV2": lambda *parts: np.concatenate(parts[:-1], axis=int(parts[-1])),
}
