"""Correlations of the columns of two tables."""

from __future__ import annotations

import numpy as np


def column_correlations(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Return the correlation of each column with that of another table.

    Args:
        one: Numbers, `[n, k]`.
        other: Numbers, `[n, k]`, or one column for all, `[n, 1]`.

    Returns:
        Array `[k]`; 0 for constant columns.

    Example:
    >>> import numpy as np
    >>> from keras_dlbasic.inspection.column_correlations import column_correlations
    >>> x = np.array([[0.0, 5.0], [1.0, 5.0], [2.0, 5.0]])
    >>> column_correlations(x, -x[:, :1]).tolist()
    [-1.0, 0.0]
    """
    one, other = one - one.mean(axis=0), other - other.mean(axis=0)
    sizes = np.sqrt((one**2).sum(axis=0) * (other**2).sum(axis=0))
    found: np.ndarray = (one * other).sum(axis=0) / np.where(sizes > 0, sizes, np.inf)
    return found
