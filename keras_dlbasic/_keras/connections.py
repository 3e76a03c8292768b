"""What a tensor of a functional model comes from, and what it carries along."""

from __future__ import annotations

from typing import Any


def operation_of(tensor: Any) -> Any:
    """Return the layer or operation that a symbolic tensor comes from."""
    return tensor._keras_history.operation


def inside_of(model: Any, tensor: Any) -> Any:
    """Return the tensor within a functional model that an output of it stands for."""
    return model.outputs[tensor._keras_history.tensor_index]


def inputs_of(tensor: Any) -> list[Any]:
    """Return the tensors of which a symbolic tensor was computed.

    A layer may be called several times: those of the call that made this tensor.
    """
    operation, node, _ = tensor._keras_history
    return list(operation._inbound_nodes[node].input_tensors)


def calls_of(operation: Any) -> list[Any]:
    """Return the nodes of a graph at which a layer or operation was called."""
    return list(getattr(operation, "_inbound_nodes", ()))


def mask_of(tensor: Any) -> Any:
    """Return the mask that a layer gave along with a tensor, or None."""
    return getattr(tensor, "_keras_mask", None)
