"""A model like another."""

from __future__ import annotations

import inspect
from typing import Any

import keras

from keras_dlbasic._backends.intercept import replaced
from keras_dlbasic._keras.rebuild import compile_like


def copy_of(model: Any, *, clone_function: Any = None) -> Any:
    """Return a model of the same architecture, weights and compile arguments.

    Args:
        model: A built model.
        clone_function: As in `keras.models.clone_model`; the weights are then not
            copied. Defaults to None.

    Raises:
        ValueError: If Keras cannot clone the model.
    """
    try:
        with replaced(model, "compiled", False):  # `compile_like` does it
            clone = keras.models.clone_model(
                model, **({"clone_function": clone_function} if clone_function else {})
            )
        if not clone.built:
            clone.build(model.input_shape)
    except (ValueError, TypeError, NotImplementedError, AttributeError) as error:
        raise ValueError(
            f"Model '{model.name}' of class {type(model).__name__} cannot be copied: "
            f"{error} Give it `get_config` and `from_config`, or use "
            "`in_place=True` where the remedy has it."
        ) from error
    if clone_function is None:
        clone.set_weights(model.get_weights())
    return compile_like(clone, model)


def anew(model: Any) -> Any:
    """Return a model of the same architecture and compile arguments, with new weights.

    They come from the model's own initializers and Keras' generators. A model that is
    not built gives another one that is not, and so does one that Keras cannot clone,
    but whose class takes no arguments.

    Args:
        model: A compiled model.

    Raises:
        ValueError: If Keras cannot clone the model, and its class takes arguments.
    """
    try:
        if model.built:
            return copy_of(model, clone_function=_made_again)
        with replaced(model, "compiled", False):  # `compile_like` does it
            clone = keras.models.clone_model(model)
    except (ValueError, TypeError, NotImplementedError) as error:
        if _takes_no_arguments(type(model)):
            return compile_like(type(model)(), model)
        if model.built:
            raise
        reason = " ".join(str(error).split())[:300]
        raise ValueError(
            f"Model '{model.name}' of class {type(model).__name__} cannot be copied: "
            f"{reason} Give it `get_config` and `from_config`."
        ) from error
    return compile_like(clone, model)


def _takes_no_arguments(kind: type) -> bool:
    """Return whether all objects of a class of the user's are made alike."""
    if kind.__module__.split(".")[0] == "keras":
        return False
    try:
        parameters = list(inspect.signature(kind).parameters.values())
    except (TypeError, ValueError):
        return False
    return all(p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD) for p in parameters)


def _made_again(layer: Any) -> Any:
    return type(layer).from_config(layer.get_config())
