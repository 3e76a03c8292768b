"""How much of sequences is padding at their end."""

from __future__ import annotations

import math

import numpy as np

from keras_dlbasic.analysis.evenly import evenly

ROWS = 512


def trailing_padding(x: np.ndarray, *, is_ids: bool = False) -> float:
    """Return the mean share of steps at the end that are padding.

    Padding is the step in which most rows end; one such step alone may be a word.

    Args:
        x: Sequences: ids `[n, steps]`, or values `[n, steps, features]`.
        is_ids: Whether entries are ids. Defaults to `False`.

    Returns:
        The share; NaN for what is no sequence.

    Example:
    >>> import numpy as np
    >>> from keras_dlbasic.inspection.trailing_padding import trailing_padding
    >>> trailing_padding(np.array([[5, 7, 0, 0], [3, 0, 0, 0]]), is_ids=True)
    0.625
    """
    if x.dtype.kind not in "iuf" or x.ndim != (2 if is_ids else 3) or not x.size:
        return math.nan
    some = x[evenly(len(x), ROWS)].reshape(-1, x.shape[1], math.prod(x.shape[2:]))
    ends, counts = np.unique(some[:, -1], axis=0, return_counts=True)
    pad = ends[counts.argmax()]
    differs = (some != pad).any(axis=2)[:, ::-1]
    steps = np.where(differs.any(axis=1), differs.argmax(axis=1), 0)
    return float(np.where(steps > 1, steps, 0).mean() / x.shape[1])
