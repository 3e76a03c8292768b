"""The dtype in which rows of two arrays can be the same."""

from __future__ import annotations

import numpy as np


def common_dtype(x: np.ndarray, other: np.ndarray) -> np.dtype:
    """Return the dtype of two arrays, or float32 where these differ.

    Keras makes float32 of both, and often only one part of a data set was made so
    before: then a copy of a row has the same numbers, but not the same bytes.

    Args:
        x: An array.
        other: Another one.
    """
    is_numeric = x.dtype.kind in "iubf" and other.dtype.kind in "iubf"
    if x.dtype == other.dtype or not is_numeric:
        return x.dtype
    return np.dtype(np.float32)
