"""How well the last value of a series forecasts the next one."""

from __future__ import annotations

import numpy as np

from keras_dlbasic.analysis.evenly import evenly
from keras_dlbasic.inspection.are_windows import are_windows
from keras_dlbasic.inspection.column_correlations import column_correlations

MOST_ROWS, LEAST_ROWS = 2000, 50
LEAST_STEPS, MOST_FEATURES, MOST_COLUMNS = 3, 64, 64

SLOW = 0.5
"""Correlation of a feature with its value a step before in a series that changes
slowly."""

EXACT = 0.999
"""Correlation of the targets with the last values of the next rows, of which they are
scaled ones."""

SLOPE = (0.8, 1.25)
"""Slopes of the targets over the last value, of rows in another order."""


def last_value_skill(x: np.ndarray, y: np.ndarray) -> float:
    """Return the skill of the last value of a series as a forecast of the targets.

    That is the share of the variance of the targets that a line through one feature of
    the last step explains. The feature must change slowly, and the targets must be
    later values of it: on its scale, or what the next rows have as their last value.

    Args:
        x: Inputs, `[n, steps, features]`, or windows of one series, `[n, steps]`.
        y: Targets, `[n]` or `[n, columns]`, which are several steps.

    Returns:
        The skill, from 0 to 1; NaN if the inputs are no steps of a series with such
        targets, or of too few rows.

    Example:
    >>> import numpy as np
    >>> from keras_dlbasic.inspection.last_value import last_value_skill
    >>> walk = np.random.default_rng(0).normal(size=300).cumsum()
    >>> x = np.stack([walk[i : i + 10] for i in range(280)])
    >>> last_value_skill(x, walk[10:290]) > 0.9
    True
    """
    n = len(y) if y.ndim else 0
    if x.dtype.kind not in "iuf" or y.dtype.kind not in "iuf" or n < LEAST_ROWS:
        return np.nan
    if x.ndim not in (2, 3) or y.ndim not in (1, 2) or len(x) != n:
        return np.nan
    if x.shape[1] < LEAST_STEPS or (x.ndim == 2 and not are_windows(x)):
        return np.nan
    rows = evenly(n - 1, MOST_ROWS)  # each has a next one
    last, before, coming = (
        part.reshape(len(rows), -1)[:, :MOST_FEATURES].astype(np.float64)
        for part in (x[rows, -1], x[rows, -2], x[rows + 1, -1])
    )
    targets = y[rows].reshape(len(rows), -1)[:, :MOST_COLUMNS].astype(np.float64)
    known = (last, before, coming, targets)
    if not last.shape[1] or not all(np.isfinite(part).all() for part in known):
        return np.nan
    last, before, coming, targets = (part - part.mean(axis=0) for part in known)
    whole = float((targets**2).sum())
    if not whole > 0:
        return np.nan
    first = targets[:, [0]]
    sizes = (last**2).sum(axis=0)
    slopes = (last.T @ first)[:, 0] / np.where(sizes > 0, sizes, np.inf)
    is_scaled = (slopes >= SLOPE[0]) & (slopes <= SLOPE[1])
    is_series = is_scaled | (column_correlations(coming, first) >= EXACT)
    is_series &= column_correlations(last, before) >= SLOW
    if not is_series.any():
        return np.nan
    explained = ((last.T @ targets) ** 2).sum(axis=1)
    shares = explained / np.where(sizes > 0, sizes, np.inf)
    return float(shares[is_series].max() / whole)
