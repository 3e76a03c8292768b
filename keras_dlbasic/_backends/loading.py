"""The part of the package that is written for the backend in use."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

import keras

from keras_dlbasic._backends.required import BACKENDS


def backend_module(topic: str, what: str) -> ModuleType:
    """Import the module of a topic for the backend that Keras runs on.

    Args:
        topic: Name of the module: `"tap"`, `"curvature"`, `"autodiff"`.
        what: What cannot be done on other backends, for the message of the error.

    Raises:
        RuntimeError: If Keras runs on a backend that trains no models.
    """
    name = keras.backend.backend()
    if name not in BACKENDS:
        raise RuntimeError(
            f"{what} on the backends 'tensorflow', 'jax' and 'torch'. "
            f"Received: KERAS_BACKEND={name!r}"
        )
    return import_module(f"keras_dlbasic._backends.{name}.{topic}")
