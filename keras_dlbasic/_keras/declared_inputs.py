"""The inputs that a model declares."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras


def declared_inputs(model: Any) -> dict[str, Any] | None:
    """Return the symbolic inputs of a model by name, in the order of `model.inputs`.

    A Sequential or Functional model has them. One that prepares what it is given, by a
    `train_step` or `call` of its own, may take anything, and so has none here.

    Args:
        model: A model.

    Returns:
        The inputs; None where they are not known.

    Example:
    >>> import keras
    >>> from keras_dlbasic._keras.declared_inputs import declared_inputs
    >>> inputs = {name: keras.Input((2,), name=name) for name in ("a", "b")}
    >>> added = keras.layers.Add()(list(inputs.values()))
    >>> list(declared_inputs(keras.Model(inputs, added)))
    ['a', 'b']
    """
    is_graph = isinstance(model, keras.Sequential) or hasattr(model, "operations")
    if not is_graph or not getattr(model, "built", False):
        return None
    # Code of the user's may split or transform what it is given before the graph gets
    # it. The declared inputs then need not be those of the data.
    has_own_step = type(model).train_step is not keras.Model.train_step
    if has_own_step or not type(model).call.__module__.startswith("keras."):
        return None
    tensors = keras.tree.flatten(getattr(model, "inputs", None))
    if not tensors or any(tensor is None for tensor in tensors):
        return None
    structure = getattr(model, "_inputs_struct", None)
    if isinstance(structure, Mapping):
        return dict(structure)
    return {tensor.name: tensor for tensor in tensors}
