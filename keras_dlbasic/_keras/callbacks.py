"""The model of a callback: as it is, and what a copy keeps."""

from __future__ import annotations

from typing import Any


def model_of(callback: Any) -> Any:
    """Return the model that a callback is in the fit of, without touching it.

    `callback.model` is the same model, but on JAX reading it writes the weights of the
    running fit into it: work at each step that only what reads the weights may ask for.
    """
    return callback._model


def state_without_model(callback: Any, *parts: str) -> dict[str, Any]:
    """Return the attributes of a callback for `copy` and `pickle`, without the model.

    A copy keeps what was measured. A model can often not be copied, as one of a class
    that is not registered, and the next fit brings its own.

    Args:
        callback: A Keras callback.
        *parts: Names of further attributes that hold models; they become None.
    """
    return {**vars(callback), **dict.fromkeys(("_model", *parts))}
