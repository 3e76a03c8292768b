"""Data in the forms that `fit` takes, as NumPy arrays."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np


def as_arrays(data: Any) -> Any:
    """Return a structure with NumPy arrays in the place of tensors and data frames.

    Args:
        data: An array, a tensor of any backend, a data frame or series of pandas, or a
            structure of these. What is something else stays as it is.
    """
    return keras.tree.map_structure(
        lambda leaf: as_array(leaf) if is_array(leaf) else leaf, data
    )


def is_array(leaf: Any) -> bool:
    """Return whether something holds numbers in rows: it has a shape, and a dtype."""
    shape = getattr(leaf, "shape", None)
    has_type = hasattr(leaf, "dtype") or hasattr(
        leaf, "dtypes"
    )  # a data frame: several
    try:
        return has_type and shape is not None and len(shape) > 0
    except (TypeError, ValueError):  # of unknown rank
        return False


def as_array(leaf: Any) -> np.ndarray:
    """Return an array, a tensor or a data frame as a NumPy array."""
    if keras.ops.is_tensor(leaf):
        return np.asarray(keras.ops.convert_to_numpy(leaf))
    if hasattr(leaf, "detach"):  # PyTorch's, under another backend
        leaf = leaf.detach().cpu()
    return np.asarray(leaf)
