"""What a model must be like before anything is measured."""

from __future__ import annotations

import inspect
from os import PathLike
from typing import Any

import keras

from keras_dlbasic._arguments import shown


def check_model(model: Any, name: str = "model") -> None:
    """Check that a model was given.

    Raises:
        ValueError: If it is something else, with how to come to a model.
    """
    if not isinstance(model, keras.Model):
        raise ValueError(
            f"`{name}` must be a Keras model. Received: {shown(model)}.{_way(model)}"
        )


def _way(given: Any) -> str:
    """Return how to come to a model from what was given in its place."""
    if isinstance(given, (str, PathLike)):
        return " Load it: `keras.saving.load_model(path)`."
    if isinstance(given, type):
        return " Make one of that class, with its layers."
    if inspect.isroutine(given):
        return " Call your function first: `model = build_model()`."
    if isinstance(given, (list, tuple)):
        return " Make a model of layers: `keras.Sequential(layers)`."
    if hasattr(given, "shape"):
        return " The model comes first, then the data."
    if any(kind.__module__.startswith("torch.nn") for kind in type(given).__mro__):
        return " Wrap it: `keras.layers.TorchModuleWrapper(module)` is a layer."
    return ""


def check_built(model: Any) -> None:
    """Check that a model has weights to look at.

    Raises:
        ValueError: If it is not built.
    """
    check_model(model)
    if not model.built:
        raise ValueError(
            f"Model '{model.name}' is not built, so it has no "
            "weights yet. Call it on a batch, or `model.build(input_shape)`, or give "
            "it a `keras.Input`."
        )


def check_compiled(model: Any) -> None:
    """Check that a model can be trained.

    Raises:
        ValueError: If it is not compiled.
    """
    check_model(model)
    if not getattr(model, "compiled", False) or model.optimizer is None:
        raise ValueError(
            f"Model '{model.name}' is not compiled, so it has no loss and no "
            "optimizer. Call `model.compile(optimizer, loss)` first."
        )
