"""How many steps at the end of sequences are padding."""

from __future__ import annotations

import math

import numpy as np


def padding_steps(x: np.ndarray, *, is_ids: bool = False) -> np.ndarray | None:
    """Return for each sequence the number of steps at its end that are padding.

    Padding is the step in which most rows end; one such step alone may be a word.

    Args:
        x: Sequences: ids `[n, steps]`, or values `[n, steps, features]`.
        is_ids: Whether entries are ids. Defaults to `False`.

    Returns:
        Whole numbers `[n]`; None for what is no sequence.

    Example:
    >>> import numpy as np
    >>> from keras_dlbasic.inspection.padding_steps import padding_steps
    >>> padding_steps(np.array([[5, 7, 0, 0], [3, 0, 0, 0], [4, 2, 6, 0]]), is_ids=True)
    array([2, 3, 0])
    """
    if x.dtype.kind not in "iuf" or x.ndim != (2 if is_ids else 3) or not x.size:
        return None
    steps = x.reshape(-1, x.shape[1], math.prod(x.shape[2:]))
    ends, counts = np.unique(steps[:, -1], axis=0, return_counts=True)
    differs = (steps != ends[counts.argmax()]).any(axis=2)[:, ::-1]
    # a row that is padding from end to end tells nothing, and counts for none
    padded = np.where(differs.any(axis=1), differs.argmax(axis=1), 0)
    return np.where(padded > 1, padded, 0)
