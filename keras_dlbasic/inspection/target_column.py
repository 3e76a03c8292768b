"""A column of the inputs that is the target."""

from __future__ import annotations

from typing import Any

import numpy as np

from keras_dlbasic.analysis.evenly import evenly

ROWS, COLUMNS = 2048, 4096
LEAST_ROWS = 50
FIRST_ROWS = 64
"""Columns that cannot be the target are ruled out by this many rows."""

MOST_CLASSES = 50

LEFT = 1e-4
"""A copy leaves so much of the target's deviation at most: rounding, no noise."""


def target_column(x: np.ndarray, y: Any) -> int | None:
    """Return the place of a column of `x` that is the target, scaled or renamed.

    Args:
        x: Inputs, `[n, columns]`; of windows `[n, steps, features]` the columns are all
            features of the first step, then those of the second, and so on.
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
    if y.size != len(x) or not {x.dtype.kind, y.dtype.kind} <= set("iubf"):
        return None
    if x.ndim == 3 and x.dtype.kind == "f":
        if len(np.unique(y[:ROWS])) <= MOST_CLASSES:
            return None  # which of several kinds a value is, may be the task
        x = x.reshape(len(x), -1)
    if x.ndim != 2 or not 1 < x.shape[1] <= COLUMNS or len(x) < LEAST_ROWS:
        return None
    rows = evenly(len(x), ROWS)
    columns, target = x[rows], y[rows].reshape(-1).astype(float)
    if not np.isfinite(columns).all() or not np.isfinite(target).all():
        return None
    classes = np.unique(target)
    if len(classes) < 2:
        return None
    # Most columns can be neither on a few rows alone: all rows of the others are read.
    some = evenly(len(rows), FIRST_ROWS)
    centred, allowed = target - target.mean(), LEFT * target.std()
    near = _left(columns[some], target[some] - target[some].mean())
    # What is left on some rows is part of what is left on all.
    scale = np.sqrt(len(rows) / len(some))
    for place in np.flatnonzero(near <= 2 * scale * allowed):
        column = columns[:, [place]]
        if column.min() < column.max() and _left(column, centred)[0] < allowed:
            return int(place)
    # Class numbers may have been renamed, which no straight line can undo.
    if len(classes) <= MOST_CLASSES:
        few = _counts(columns[evenly(len(rows), 2 * len(classes))]) <= len(classes)
        for place in np.flatnonzero(few):
            if _renames(columns[:, place], target, classes):
                return int(place)
    return None


def _left(columns: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Return the deviation that least squares by each column leaves of a target."""
    # A copy in other units leaves nothing but rounding.
    columns = columns.astype(np.float64)
    columns -= columns.mean(axis=0)
    variance = np.maximum(columns.std(axis=0), 1e-30) ** 2
    slopes = columns.T @ target / len(target) / variance
    return np.asarray((target[:, None] - columns * slopes).std(axis=0))


def _counts(columns: np.ndarray) -> np.ndarray:
    """Return the number of values of each column."""
    gaps = np.diff(np.sort(columns.astype(np.float64), axis=0), axis=0)
    return np.asarray(1 + (gaps > 0).sum(axis=0))


def _renames(column: np.ndarray, target: np.ndarray, classes: np.ndarray) -> bool:
    """Return whether each class has a value of its own."""
    values = np.unique(column)
    if len(values) != len(classes):
        return False
    pairs = np.unique(np.stack([column, target]), axis=1)
    return pairs.shape[1] == len(classes)
