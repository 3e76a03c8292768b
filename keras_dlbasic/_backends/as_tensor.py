"""Arrays as tensors, with nothing compiled for it."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import keras
import numpy as np


def as_tensor(array: Any) -> Any:
    """Return an array as a tensor of the backend, as `ops.convert_to_tensor` does.

    On JAX that one compiles a function for each shape of arrays of NumPy.

    Args:
        array: An array of NumPy, or a tensor.
    """
    if keras.backend.backend() == "jax" and type(array) is np.ndarray:
        return import_module("jax").device_put(array)
    return keras.ops.convert_to_tensor(array)
