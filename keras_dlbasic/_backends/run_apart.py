"""A model run beside its training, with no trace in any random generator."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any, TypeVar

import keras

from keras_dlbasic._backends.code_of_users import code_of_users
from keras_dlbasic._backends.generators import generators_kept

Tensors = TypeVar("Tensors")


def run_apart(model: Any, function: Callable[[], Tensors]) -> Tensors:
    """Run a function that runs a model, and leave all generators as they are.

    On TensorFlow the state of random operations such as `tf.random.normal` is in the
    context of eager execution and in its kernels, and nothing public saves either. So a
    model with code of the user's, which may draw, runs in a graph of its own, whose
    state is its own as well. Code that cannot be traced runs eagerly; it moves the
    generators that eager code of the user's draws from.

    Args:
        model: The model.
        function: Takes nothing; returns tensors, in any structure. Run again from the
            start if it cannot be traced.
    """
    # Only code of users may hold such operations: Keras' layers draw from variables of
    # their own. So models of Keras' layers alone run as they are, which is quicker.
    with generators_kept(model):
        if keras.backend.backend() == "tensorflow" and code_of_users(model):
            module = import_module("keras_dlbasic._backends.tensorflow.own_graph")
            try:
                return module.run_in_graph(function)
            except Exception:  # `.numpy()` in a call, layers within `tf.while_loop`
                pass
        return function()
