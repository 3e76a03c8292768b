"""Which layers make a model's outputs."""

from __future__ import annotations

from typing import Any

import keras

from keras_dlbasic._keras.checks import check_built
from keras_dlbasic._keras.layer_kinds import HIDDEN, kind_of


def output_part(model: Any) -> set[int]:
    """Return the `id`s of the last kernel layers of a model and of what follows them.

    Their units and activations belong to the task: what changes hidden layers leaves
    them alone.

    Raises:
        ValueError: If the model is not built or its connections are not known.
    """
    check_known(model)
    part: set[int] = set()
    _walk_model(model, part)
    return part


def check_known(model: Any) -> None:
    """Refuse a model whose connections or training step are not known.

    Raises:
        ValueError: If it is not built, neither Sequential nor Functional, or has a
            `train_step` of its own.
    """
    check_built(model)
    is_known = isinstance(model, keras.Sequential) or hasattr(model, "operations")
    if not is_known or type(model).train_step is not keras.Model.train_step:
        raise ValueError(
            "Only Sequential and Functional models with Keras' own `train_step` can be "
            f"rebuilt. Received: '{model.name}' of class {type(model).__name__}. "
            "Change its code by hand, or rebuild the Functional model inside it."
        )


def _walk_model(model: Any, part: set[int]) -> bool:
    if isinstance(model, keras.Sequential):
        return any(_visit(layer, part) for layer in reversed(model.layers))
    found = [_walk_back(tensor, part) for tensor in model.outputs]
    return all(found)


def _walk_back(tensor: Any, part: set[int]) -> bool:
    """Go back to the kernel layers that a tensor comes from; tell if all were found."""
    operation = tensor._keras_history.operation
    if _visit(operation, part):
        return True
    node = operation._inbound_nodes[tensor._keras_history.node_index]
    found = [_walk_back(parent, part) for parent in node.input_tensors]
    return bool(found) and all(found)


def _visit(operation: Any, part: set[int]) -> bool:
    part.add(id(operation))
    if isinstance(operation, keras.Model) and hasattr(operation, "outputs"):
        return _walk_model(operation, part)
    return kind_of(operation).kind in HIDDEN
