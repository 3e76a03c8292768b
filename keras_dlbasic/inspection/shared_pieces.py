"""Validation windows that overlap with windows in training."""

from __future__ import annotations

import math
from itertools import chain

import numpy as np

from keras_dlbasic.analysis.evenly import evenly
from keras_dlbasic.inspection.common_dtype import common_dtype

STEPS = 4
"""Number of consecutive steps whose equal values are no chance."""

VALUES, DIFFERENT = 20_000, 300
"""Numbers of values, and of distinct ones among them: images have 256 levels."""

ROWS, MOST_PIECES = 200, 400_000


def shared_pieces(x: np.ndarray, val_x: np.ndarray) -> float:
    """Return the share of validation windows that hold steps of a training window.

    Windows of one recording that overlap share values to the last bit, at other
    places. Looked for are the first and the last steps of validation windows.

    Args:
        x: Training windows, `[n, steps, ...]`, of numbers that are not whole.
        val_x: Validation windows.

    Returns:
        The share; NaN for other data, and where there are more training rows than can
        be gone through.

    Example:
    >>> import numpy as np
    >>> from keras_dlbasic.inspection.shared_pieces import shared_pieces
    >>> series = np.random.default_rng(0).normal(size=900)
    >>> windows = np.stack([series[i : i + 9] for i in range(0, 890, 2)])[..., None]
    >>> shared_pieces(windows[::2], windows[1::2])
    1.0
    """
    if x.ndim < 2 or x.dtype.kind != "f" or x.shape[1:] != val_x.shape[1:]:
        return math.nan
    dtype = common_dtype(x, val_x)
    steps = x.shape[1]
    n_pieces = len(x) * (steps - STEPS + 1)
    if steps < 2 * STEPS or n_pieces > MOST_PIECES or not len(val_x):
        return math.nan
    asked = val_x[evenly(len(val_x), ROWS)].astype(dtype, copy=False)
    x = x.astype(dtype, copy=False)
    if not _is_continuous(x):
        return math.nan
    # the same values at the same place are no sign of windows, so starts are kept apart
    at_starts = [_keys(x[:, i : i + STEPS]) for i in range(steps - STEPS + 1)]
    later = set(chain.from_iterable(at_starts[1:]))
    earlier = set(chain.from_iterable(at_starts[:-1]))
    first, last = _keys(asked[:, :STEPS]), _keys(asked[:, -STEPS:])
    if min(sum(map(bool, keys)) for keys in (first, last)) < len(asked) / 2:
        return math.nan  # mostly steps that do not vary
    found = [
        (a != 0 and a in later) or (b != 0 and b in earlier)
        for a, b in zip(first, last, strict=True)
    ]
    return float(np.mean(found))


def _is_continuous(x: np.ndarray) -> bool:
    """Return True if there are enough distinct values that no four repeat by chance."""
    flat = x.reshape(-1)
    return len(np.unique(flat[evenly(len(flat), VALUES)])) >= DIFFERENT


def _keys(pieces: np.ndarray) -> list[int]:
    """Return a number for each piece; 0 for pieces of the same value all along."""
    flat = np.ascontiguousarray(pieces).reshape(len(pieces), STEPS, -1)
    varies = (flat[:, 1:] != flat[:, :-1]).any(axis=2).all(axis=1)
    return [
        hash(piece.tobytes()) or 1 if changes else 0
        for piece, changes in zip(flat, varies, strict=True)
    ]
