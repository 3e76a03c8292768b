"""An even choice of places."""

from __future__ import annotations

import numpy as np


def evenly(n: int, most: int) -> np.ndarray:
    """Return up to `most` of the places 0, ..., n - 1, spread evenly, both ends kept.

    Args:
        n: Number of places.
        most: Number to choose, at most.

    Returns:
        Increasing integers, `[min(n, most)]`.

    Example:
    >>> from keras_dlbasic.analysis.evenly import evenly
    >>> evenly(10, 4).tolist(), evenly(2, 4).tolist()
    ([0, 3, 6, 9], [0, 1])
    """
    return np.linspace(0, n - 1, min(n, most)).round().astype(int)
