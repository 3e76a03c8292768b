"""Inputs that a callback was given, against those that a fit trains on."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from keras_dlbasic.analysis.evenly import evenly

ROWS, LEAST_ROWS = 512, 16

TIMES = 4.0
"""Ratio of the sizes of inputs from which they were scaled in different ways."""


def other_inputs(x: Any, seen: Any) -> str | None:
    """Return how given inputs differ in size from those in training.

    A generator or a data set may scale rows that were given as they were read.

    Args:
        x: Inputs as they were given, samples first: arrays.
        seen: Inputs that passed in training.

    Returns:
        The root mean squares; None if they are alike, or cannot be compared.

    Example:
    >>> import numpy as np
    >>> from keras_dlbasic.inspection.other_inputs import other_inputs
    >>> pixels = np.full((32, 4), 255.0)
    >>> other_inputs(pixels, pixels / 255)
    'the root mean square of the given inputs is 255, but that of the batches is 1'
    """
    try:
        keras.tree.assert_same_structure(x, seen)
    except (ValueError, TypeError):
        return None
    pairs = zip(keras.tree.flatten(x), keras.tree.flatten(seen), strict=True)
    for given, trained in pairs:
        sizes = _size(given), _size(trained)
        if np.shape(given)[1:] != np.shape(trained)[1:] or not min(sizes) > 0:
            continue
        if max(sizes) > TIMES * min(sizes):
            return (
                f"the root mean square of the given inputs is {sizes[0]:.3g}, but that "
                f"of the batches is {sizes[1]:.3g}"
            )
    return None


def _size(rows: Any) -> float:
    """Return the root mean square of some rows; 0 where it is not known."""
    if rows is None or np.ndim(rows) < 2 or len(rows) < LEAST_ROWS:
        return 0.0
    some = np.asarray(rows[evenly(len(rows), ROWS)])
    if some.dtype.kind not in "iuf":
        return 0.0
    with np.errstate(over="ignore", invalid="ignore"):
        size = float(np.sqrt(np.mean(np.square(some, dtype=np.float64))))
    return size if np.isfinite(size) else 0.0
