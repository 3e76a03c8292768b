"""How much of sequences is padding at their end."""

from __future__ import annotations

import math

import numpy as np

from keras_dlbasic.analysis.evenly import evenly
from keras_dlbasic.inspection.padding_steps import padding_steps

ROWS = 512


def trailing_padding(x: np.ndarray, *, is_ids: bool = False) -> float:
    """Return the mean share of steps at the end that are padding.

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
    padded = padding_steps(x[evenly(len(x), ROWS)], is_ids=is_ids)
    return math.nan if padded is None else float(padded.mean() / x.shape[1])
