"""A column of the inputs that is the target."""

from __future__ import annotations

from typing import Any

import numpy as np

from keras_dlbasic.analysis.evenly import evenly

ROWS, COLUMNS = 2048, 4096
LEAST_ROWS = 50
MOST_CLASSES = 50

LEFT = 1e-4
"""A copy leaves so much of the target's deviation at most: rounding, no noise."""


def target_column(x: np.ndarray, y: Any) -> int | None:
    """Return the place of a column of `x` that is the target, scaled or renamed.

    Args:
        x: Inputs, `[n, columns]`.
        y: Targets with one answer a row.

    Returns:
        The place of the first such column. None if there is none, of a single column,
        and of fewer than 50 rows.

    Example:
    >>> import numpy as np
    >>> from keras_dlbasic.inspection.target_column import target_column
    >>> x = np.random.default_rng(0).normal(size=(100, 4))
    >>> target_column(x, 5 - 2 * x[:, 3]), target_column(x, x[:, 3] ** 2)
    (3, None)
    """
    y = np.asarray(y)
    if x.ndim != 2 or not 1 < x.shape[1] <= COLUMNS or len(x) < LEAST_ROWS:
        return None
    if y.size != len(x) or not {x.dtype.kind, y.dtype.kind} <= set("iubf"):
        return None
    rows = evenly(len(x), ROWS)
    columns, target = x[rows].astype(np.float64), y[rows].reshape(-1).astype(float)
    if not np.isfinite(columns).all() or not np.isfinite(target).all():
        return None
    classes = np.unique(target)
    if len(classes) < 2:
        return None
    # Each column by itself predicts the target by least squares. A copy in other units
    # leaves nothing but rounding.
    columns = columns - columns.mean(axis=0)
    deviation, centred = columns.std(axis=0), target - target.mean()
    slopes = columns.T @ centred / len(rows) / np.maximum(deviation, 1e-30) ** 2
    left = (centred[:, None] - columns * slopes).std(axis=0)
    found = (deviation > 0) & (left < LEFT * centred.std())
    # Class numbers may have been renamed, which no straight line can undo.
    if not found.any() and len(classes) <= MOST_CLASSES:
        found = np.array([_renames(column, target, classes) for column in columns.T])
    return int(found.argmax()) if found.any() else None


def _renames(column: np.ndarray, target: np.ndarray, classes: np.ndarray) -> bool:
    """Return whether each class has a value of its own."""
    values = np.unique(column)
    if len(values) != len(classes):
        return False
    pairs = np.unique(np.stack([column, target]), axis=1)
    return pairs.shape[1] == len(classes)
