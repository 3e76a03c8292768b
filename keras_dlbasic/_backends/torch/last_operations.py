"""The operations that outputs come from, on PyTorch: read off autograd's graph."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import keras
import torch

from keras_dlbasic._backends.operation import Operation

_NAMES = {
    **dict.fromkeys(("View", "UnsafeView", "ReshapeAlias", "Reshape"), "reshape"),
    **dict.fromkeys(("Squeeze", "Unsqueeze", "Slice", "Select", "Split"), "reshape"),
    **dict.fromkeys(("Expand", "AsStrided", "Transpose", "T", "Unbind"), "reshape"),
    **dict.fromkeys(("Clone", "Alias", "Contiguous", "CopySlices"), "identity"),
    **dict.fromkeys(("Embedding", "IndexSelect", "Index", "Gather"), "gather"),
    **dict.fromkeys(("Cat", "Stack"), "concatenate"),
    **dict.fromkeys(("Sub", "Rsub"), "subtract"),
    **dict.fromkeys(("Mm", "Addmm", "Bmm", "Baddbmm", "Mv", "Linear"), "matmul"),
    **dict.fromkeys(("Convolution", "ConvolutionOverrideable"), "convolution"),
    **dict.fromkeys(("MkldnnConvolution", "CudnnConvolution"), "convolution"),
    **dict.fromkeys(("NativeLayerNorm", "NativeBatchNorm"), "normalization"),
    **dict.fromkeys(("CudnnBatchNorm", "NativeGroupNorm"), "normalization"),
    **dict.fromkeys(("FusedRmsNorm", "MiopenBatchNorm"), "normalization"),
    **dict.fromkeys(("Rsqrt", "Sqrt"), "rsqrt"),
    **dict.fromkeys(("ToCopy", "Copy"), "cast"),
    "Permute": "transpose",
    "Add": "add",
    "Mul": "multiply",
    "Div": "divide",
    "Neg": "negative",
    **dict.fromkeys(("Minimum", "Maximum"), "limit"),
    "Sum": "sum",
    "Mean": "mean",
    "Exp": "exponential",
    "LeakyRelu": "leaky_relu",
    "LogSoftmax": "log_softmax",
    "Hardsigmoid": "hard_sigmoid",
    "LogSigmoid": "log_sigmoid",
    "Hardswish": "hard_silu",
    **{name.capitalize(): name for name in ("sigmoid", "softmax", "tanh", "relu")},
    **{name.capitalize(): name for name in ("softplus", "silu", "gelu")},
}
"""Of the names of autograd's functions, without `Backward` and its number."""

_LIMITS = {(0, 6): "relu6", (-1, 1): "hard_tanh"}


def traced(function: Callable[[Any], list[Any]], inputs: Any) -> list[Operation]:
    """Run a function of tensors and read what ran.

    Args:
        function: Returns a list of tensors.
        inputs: A structure of NumPy arrays.

    Returns:
        For each tensor, the operation that it comes from.
    """
    leaves: dict[Any, Any] = {}

    def leaf(array: Any) -> Any:
        # a frozen model has a graph too if its inputs ask for gradients
        tensor = keras.ops.convert_to_tensor(array).detach()
        if tensor.is_floating_point():
            tensor = tensor.clone().requires_grad_(True)
            leaves[id(tensor)] = tensor
        return tensor

    with torch.enable_grad():
        outputs = function(keras.tree.map_structure(leaf, inputs))
    known: dict[Any, Operation] = {}

    def operation_of(node: Any) -> Operation:
        if node is None:
            return Operation("weight")
        if node not in known:
            known[node] = _operation(node, leaves, operation_of)
        return known[node]

    return [
        Operation("other") if y.grad_fn is None else operation_of(y.grad_fn)
        for y in outputs
    ]


def _operation(
    node: Any, leaves: dict[Any, Any], operation_of: Callable[[Any], Operation]
) -> Operation:
    if hasattr(node, "variable"):  # the end of the graph
        return Operation("input" if id(node.variable) in leaves else "weight")
    function = re.sub(r"Backwards?\d*$", "", node.name())
    name = _NAMES.get(function, "other")
    # PyTorch has one function for `relu6` and `hard_tanh`, and one for `elu` and
    # `selu`. The arguments that autograd saved distinguish them.
    if function == "Hardtanh":
        limits = node._saved_min_val, node._saved_max_val
        name = _LIMITS.get(limits, "other")
    elif function == "Elu":
        name = "elu" if node._saved_scale == 1 else "selu"
    parents = [parent for parent, _ in node.next_functions]
    return Operation(
        name, lambda: [operation_of(parent) for parent in parents], _axis(node, name)
    )


def _axis(node: Any, name: str) -> Any:
    if name in ("softmax", "log_softmax"):
        axis = _signed(node._saved_dim)
        return axis if axis < 0 else axis - node._saved_result.ndim
    if name == "transpose":
        dims = [_signed(dim) for dim in node._saved_dims]
        return tuple(dim % len(dims) for dim in dims)
    return None


def _signed(number: int) -> int:
    """Return a number that autograd keeps without its sign."""
    return number - 2**64 if number >= 2**63 else number
