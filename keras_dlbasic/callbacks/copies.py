"""What a copy of a callback keeps."""

from __future__ import annotations

from typing import Any


def state_without_model(callback: Any, *parts: str) -> dict[str, Any]:
    """Return the attributes of a callback for `copy` and `pickle`, without the model.

    A copy keeps what was measured. A model can often not be copied, as one of a class
    that is not registered, and the next fit brings its own.

    Args:
        callback: A Keras callback.
        *parts: Names of further attributes that hold models; they become None.
    """
    return {**vars(callback), **dict.fromkeys(("_model", *parts))}
