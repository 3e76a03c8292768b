"""Tensors that hold no numbers, as they are within a trace."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import keras


def current_graph() -> Any:
    """Return the graph of TensorFlow that is being built; None if there is none."""
    if keras.backend.backend() != "tensorflow":
        return None
    tf = import_module("tensorflow")
    return None if tf.executing_eagerly() else tf.compat.v1.get_default_graph()


def in_inner_trace(tensor: Any, graph: Any = None) -> bool:
    """Return whether a tensor belongs to a trace within the current code.

    So it is within `jax.jit`, `jax.checkpoint`, `tf.function` and `tf.map_fn`.

    Args:
        tensor: A tensor of the backend.
        graph: The graph in which the code runs. Defaults to None: it runs eagerly.
    """
    backend = keras.backend.backend()
    if backend == "jax":
        return isinstance(tensor, import_module("jax").core.Tracer)
    if backend == "tensorflow":
        return getattr(tensor, "graph", None) is not graph
    return False
