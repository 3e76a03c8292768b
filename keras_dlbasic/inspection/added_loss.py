"""What a model adds to the compiled loss by itself."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

import keras
from keras import ops

from keras_dlbasic._backends.code_of_users import code_of_users
from keras_dlbasic._backends.intercept import replaced
from keras_dlbasic._backends.run_apart import run_apart
from keras_dlbasic._keras.graph import all_layers


def added_loss(model: Any, x: Any) -> float | None:
    """Return the sum of what layers of a user's add by `add_loss`, in inference.

    Keras' penalties of weights and of activations are not among it. The state of the
    model and the generators stay as they are.

    Args:
        model: A built model.
        x: Inputs of some rows.

    Returns:
        None for a model without code of the user's, which is not run, and for one that
        adds nothing.
    """
    if not code_of_users(model):
        return None
    return _added(model, x, code_of_layers(model))


def activity_penalty(model: Any, x: Any) -> float | None:
    """Return what penalties of activations add to the loss, in inference.

    Args:
        model: A built model.
        x: Inputs of some rows.

    Returns:
        None for a model without such penalties, which is not run.
    """
    layers = [
        layer
        for layer in all_layers(model)
        if getattr(layer, "activity_regularizer", None) is not None
    ]
    return _added(model, x, layers) if layers else None


def _added(model: Any, x: Any, layers: list[Any]) -> float | None:
    """Return the sum of what some layers add by `add_loss`; None if it is nothing."""
    added: list[Any] = []

    def note(loss: Any) -> None:
        added.extend(keras.tree.flatten(loss))

    def run() -> Any:
        added.clear()
        with keras.StatelessScope(), ExitStack() as stack:
            # a layer of Keras' adds what its regularizers ask for
            for layer in layers:
                stack.enter_context(replaced(layer, "add_loss", note))
            model(x, training=False)
        return [ops.sum(ops.cast(loss, "float32")) for loss in added]

    terms = run_apart(model, run)
    return float(sum(map(_number, terms))) if terms else None


def code_of_layers(model: Any) -> list[Any]:
    """Return the model and its layers as far as their classes are the user's."""
    own = set(map(id, code_of_users(model)))
    layers = {id(layer): layer for layer in [model, *all_layers(model)]}
    return [layer for layer in layers.values() if id(type(layer)) in own]


def _number(term: Any) -> float:
    return float(ops.convert_to_numpy(term))
