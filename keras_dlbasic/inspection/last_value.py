"""How well the last value of a series forecasts the next one."""

from __future__ import annotations

import numpy as np

from keras_dlbasic.analysis.evenly import evenly
from keras_dlbasic.inspection.are_windows import are_windows

MOST_ROWS, LEAST_ROWS = 2000, 50
LEAST_STEPS, MOST_FEATURES, MOST_COLUMNS = 3, 64, 64


def last_value_skill(x: np.ndarray, y: np.ndarray) -> float:
    """Return the skill of the last value of a series as a forecast of the targets.

    That is the share of the variance of the targets that a line through one feature of
    the last step explains, of the feature for which it is largest.

    Args:
        x: Inputs, `[n, steps, features]`, or windows of one series, `[n, steps]`.
        y: Targets, `[n]` or `[n, columns]`.

    Returns:
        The skill, from 0 to 1; NaN if the inputs are no steps of a series, or of too
        few rows.

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
    rows = evenly(n, MOST_ROWS)
    last = x[rows, -1].reshape(len(rows), -1)[:, :MOST_FEATURES].astype(np.float64)
    targets = y[rows].reshape(len(rows), -1)[:, :MOST_COLUMNS].astype(np.float64)
    if not (last.shape[1] and np.isfinite(last).all() and np.isfinite(targets).all()):
        return np.nan
    last, targets = last - last.mean(axis=0), targets - targets.mean(axis=0)
    whole = float((targets**2).sum())
    if not whole > 0:
        return np.nan
    sizes = (last**2).sum(axis=0)
    explained = ((last.T @ targets) ** 2).sum(axis=1)
    shares = explained / np.where(sizes > 0, sizes, np.inf)
    return float(shares.max() / whole)
