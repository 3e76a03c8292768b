"""Text in the place of numbers."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from keras_dlbasic._data.names import ARGUMENTS, Names
from keras_dlbasic._keras.declared_inputs import declared_inputs


def check_no_text(x: Any, y: Any, model: Any, names: Names) -> None:
    """Refuse text in targets, and in inputs of a model that takes numbers.

    Args:
        x: Inputs, as arrays.
        y: Targets, as arrays, or None.
        model: The model; None or a subclassed one may take text.
        names: What errors call these.

    Raises:
        ValueError: If there is text.
    """
    if (words := _words(y)) is not None:
        raise ValueError(
            f"`{names.y}` holds text ({words}). A loss needs numbers; encode the "
            f"classes: {_way(names)}."
        )
    if (words := _words(x)) is None:
        return
    inputs = None if model is None else declared_inputs(model)
    if inputs is None or any(one.dtype == "string" for one in inputs.values()):
        return
    raise ValueError(
        f"`{names.x}` holds text ({words}), but the model '{model.name}' takes "
        "numbers. Encode it, or put a `keras.layers.TextVectorization` or "
        "`keras.layers.StringLookup` in front of the model."
    )


def _way(names: Names) -> str:
    """Return how to encode classes; those of validation as in training."""
    way = "`classes, y = numpy.unique(y, return_inverse=True)`"
    if names == ARGUMENTS:
        return way
    return f"{way} for the training, then `numpy.searchsorted(classes, y)` for these"


def _words(data: Any) -> str | None:
    """Return some words of the first array that holds text."""
    for leaf in keras.tree.flatten(data):
        if leaf is not None and _kind(leaf) in ("U", "S"):
            some = dict.fromkeys(np.asarray(leaf[:1000]).ravel().tolist())
            return ", ".join(repr(word) for word in list(some)[:2]) + ", ..."
    return None


def _kind(leaf: Any) -> str:
    return str(getattr(getattr(leaf, "dtype", None), "kind", ""))
