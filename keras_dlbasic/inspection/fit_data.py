"""What kind of data `fit` was given, which Keras tells no callback."""

from __future__ import annotations

import inspect
from types import FrameType
from typing import Any

import keras

from keras_dlbasic._data import kinds


def form_of(data: Any) -> str | None:
    """Return the form of training data, for `RunFacts.data_form`.

    Args:
        data: What was given as `x`.

    Returns:
        `"generator"`, which can be read once, `"data_set"`, which gives batches again
        and again, `"arrays"`; None for None.
    """
    if data is None:
        return None
    if kinds.is_one_shot(data):
        return "generator"
    return "data_set" if kinds.is_data_set(data) else "arrays"


def form_of_fit_data() -> str | None:
    """Return the form of what the innermost `fit` that is running was given.

    The frames of the callers are looked at, and nothing is changed. None where there is
    no `fit` of Keras among them.
    """
    given = _given()
    return None if given is None else form_of(given.get("x"))


def is_validated() -> bool | None:
    """Return whether the innermost `fit` that is running has data for a validation.

    None where there is no `fit` of Keras among the callers.
    """
    given = _given()
    if given is None:
        return None
    return given.get("validation_data") is not None or bool(
        given.get("validation_split")
    )


def _given() -> dict[str, Any] | None:
    """Return the variables of the innermost `fit` that is running; None if none is."""
    code = inspect.unwrap(keras.Model.fit).__code__
    frame: FrameType | None = inspect.currentframe()
    while frame is not None:
        if frame.f_code is code:
            return frame.f_locals
        frame = frame.f_back
    return None
