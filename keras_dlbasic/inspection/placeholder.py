"""A number that stands for missing values."""

from __future__ import annotations

import numpy as np

LEAST = 3
"""A number that stands for something occurs more often than an outlier."""

APART = 5.0
"""It is this many times further away from the others than these are from each other."""


def placeholder(values: np.ndarray) -> tuple[float | None, float]:
    """Return a number such as -999 that stands for missing values, and its share.

    It is the smallest or the largest number, occurs again and again, and lies far from
    all others. Zero is none: it is what padding and counts have.

    Args:
        values: Numbers in any shape, finite.

    Example:
    >>> import numpy as np
    >>> from keras_dlbasic.inspection.placeholder import placeholder
    >>> placeholder(np.array([0.2, -999.0, 0.7, -999.0, -999.0, 0.1]))
    (-999.0, 0.5)
    """
    flat = values.reshape(-1)
    for value in (flat.min(), flat.max()) if flat.size else ():
        others = flat[flat != value]
        count = flat.size - others.size
        if count < LEAST or not value or len(others) < LEAST:
            continue
        low, high = others.min(), others.max()
        away = max(low - value, value - high)
        # two numbers alone are a code, and no measurement with gaps
        is_code = len(np.unique(others[:1000])) <= 2
        if not is_code and away > APART * (high - low):
            return float(value), count / flat.size
    return None, 0.0
