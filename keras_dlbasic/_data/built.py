"""Models that get their weights from the first rows that they see."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from keras_dlbasic._keras.checks import check_model

ROWS = 2
"""Number of rows that a model is built from."""


def built_from(model: Any, x: Any) -> Any:
    """Build a model that is not built yet, by calling it on two rows, and return it.

    It gets its weights from the generators of Keras, as it would in the first step of
    `fit`.

    Args:
        model: A model.
        x: Inputs: arrays.

    Raises:
        ValueError: If it is no model, or cannot be called on the rows.
    """
    check_model(model)
    if model.built:
        return model
    try:
        model(first_rows(x), training=False)
    except Exception as error:  # of the user's model
        text = " ".join(str(error).split())[:200]
        raise ValueError(
            f"The model '{model.name}' has no weights yet, and calling it on rows of "
            f"`x` failed ({type(error).__name__}: {text}). Check the shape of `x`, or "
            "give the model a `keras.Input`."
        ) from error
    return model


def first_rows(x: Any) -> Any:
    """Return the rows of arrays that are enough to build a model."""
    return keras.tree.map_structure(
        lambda leaf: None if leaf is None else np.asarray(leaf[:ROWS]), x
    )
