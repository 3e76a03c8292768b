"""A model run on several batches of one shape, compiled where that is quicker."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

import keras

from keras_dlbasic._backends.code_of_users import code_of_users
from keras_dlbasic._backends.run_once import run_once
from keras_dlbasic._backends.without_gradients import without_gradients

MAX_LAYERS = 100
"""Of more layers, one program of all runs takes longer to compile than they take."""


def run_each(
    function: Callable[..., Any], model: Any, given: Mapping[str, Any]
) -> dict[str, Any]:
    """Call a function of a model and inputs for several inputs.

    JAX compiles each operation that is run eagerly by itself, so there the function is
    compiled as a whole. Code of a user's is run as it is, and so is a model that was
    compiled with `run_eagerly=True`.

    The runs follow each other as in a script: what one draws, the next does not draw
    again. The variables stay as they are.

    Args:
        function: Takes the model and inputs and returns tensors, in any structure.
        model: A built model.
        given: Inputs by name, in any structure, all of the same shapes.

    Returns:
        What the function returns, by name.
    """

    def run_all(model: Any, given: Mapping[str, Any]) -> dict[str, Any]:
        return {name: function(model, x) for name, x in given.items()}

    # variables that are no weights are the states of random generators
    draws = len(model.variables) > len({*map(id, model.weights)})
    if not _can_be_compiled(model, draws=draws):
        with without_gradients(), keras.StatelessScope():
            return run_all(model, given)
    module = import_module("keras_dlbasic._backends.jax.look")
    with run_once():
        program = module.Program(run_all if draws else function)
    if draws:
        every: dict[str, Any] = program(model, dict(given))
        return every
    return {name: program(model, x) for name, x in given.items()}


def _can_be_compiled(model: Any, *, draws: bool) -> bool:
    if keras.backend.backend() != "jax" or getattr(model, "run_eagerly", False):
        return False
    is_deep = len(list(model._flatten_layers())) > MAX_LAYERS
    return not code_of_users(model) and not (draws and is_deep)
