"""Mean and variance of data, for layers that scale it."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from keras_dlbasic._data.arrays import as_arrays


def mean_and_variance(values: Any, *, per: str) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and variance over all axes but the last, in float32.

    Entries that are not finite are left out. What does not vary gets variance 1, so
    that new values of it are not blown up.

    Args:
        values: Array-like, samples first.
        per: What the values are, for the error: `"x"` or `"y"`.

    Raises:
        ValueError: If they are not numbers, or none is finite.
    """
    array = np.asarray(as_arrays(values, per))
    if array.dtype.kind not in "fiub" or not array.size:
        raise ValueError(
            f"`{per}` must hold numbers. Received: shape {array.shape}, "
            f"dtype {array.dtype}"
        )
    rows = array.reshape(-1, array.shape[-1] if array.ndim > 1 else 1)
    rows = rows.astype(np.float64)
    finite = np.isfinite(rows)
    counts = finite.sum(axis=0)
    if not counts.any():
        raise ValueError(f"`{per}` holds no finite number. Clean the data first.")
    counts = np.maximum(counts, 1)
    mean = np.where(finite, rows, 0.0).sum(axis=0) / counts
    variance = np.where(finite, (rows - mean) ** 2, 0.0).sum(axis=0) / counts
    # A column that is constant but for rounding would be blown up by its tiny
    # deviation.
    tiny = variance <= (1e-6 * np.abs(mean)) ** 2
    return mean.astype("float32"), np.where(tiny, 1.0, variance).astype("float32")


def scaling_layer(values: Any, *, per: str, name: str, invert: bool = False) -> Any:
    """Return a Normalization layer for the last axis of `values`.

    Raises:
        ValueError: If they are not numbers, or none is finite.
    """
    mean, variance = mean_and_variance(values, per=per)
    if len(mean) == 1:
        return keras.layers.Normalization(
            axis=None,
            mean=float(mean[0]),
            variance=float(variance[0]),
            invert=invert,
            name=name,
        )
    return keras.layers.Normalization(
        mean=mean.tolist(), variance=variance.tolist(), invert=invert, name=name
    )
