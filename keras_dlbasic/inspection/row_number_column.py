"""A column of the inputs that numbers the rows, and tells their class."""

from __future__ import annotations

from typing import Any

import numpy as np

from keras_dlbasic.inspection.class_ids import class_ids

MAX_COLUMNS, MAX_ENTRIES = 512, 2**24
MIN_ROWS = 100
MAX_CLASSES = 20

DENSE = 2.5
"""Where some of the rows were drawn, the mean gap between their numbers is at most
this."""

TELLS = 0.95
"""Share of the rows whose neighbor in that column has the same class."""


def row_number_column(x: np.ndarray, y: Any) -> int | None:
    """Return the place of a column that numbers the rows, if it tells their classes.

    Where rows are numbered after they were sorted by class, the number tells the class;
    new rows have none.

    Args:
        x: Inputs, `[n, columns]`.
        y: Targets: class numbers, or one-hot rows.

    Returns:
        The place of the first such column; None if there is none.

    Example:
    >>> import numpy as np
    >>> from keras_dlbasic.inspection.row_number_column import row_number_column
    >>> x = np.random.default_rng(0).normal(size=(200, 3))
    >>> x[:, 1] = np.arange(200)
    >>> y = np.repeat([0, 1], 100)
    >>> row_number_column(x, y), row_number_column(x[:, [0, 2]], y)
    (1, None)
    """
    classes = _classes(np.asarray(y), len(x))
    if classes is None or x.ndim != 2 or not 1 < x.shape[1] <= MAX_COLUMNS:
        return None
    if x.dtype.kind not in "iuf" or x.size > MAX_ENTRIES:
        return None
    found = (place for place in range(x.shape[1]) if _tells(x[:, place], classes))
    return next(found, None)


def _classes(y: np.ndarray, n: int) -> np.ndarray | None:
    classes = class_ids(y)
    if classes is None or len(classes) != n or n < MIN_ROWS:
        return None
    return classes if 2 <= len(np.unique(classes)) <= MAX_CLASSES else None


def _tells(column: np.ndarray, classes: np.ndarray) -> bool:
    if not np.isfinite(column).all() or not _is_numbered(column):
        return False
    in_order = classes[np.argsort(column, kind="stable")]
    same = in_order[1:] == in_order[:-1]
    # by chance neighbors are of one class as often as any two rows
    shares = np.unique(classes, return_counts=True)[1] / len(classes)
    by_chance = float(np.sum(shares**2))
    return bool(same.mean() >= TELLS and same.mean() > (1 + by_chance) / 2)


def _is_numbered(column: np.ndarray) -> bool:
    """Return whether all values differ, and lie on a grid that they fill densely."""
    values = np.sort(column.astype(np.float64))
    gaps = np.diff(values)
    least = gaps.min()
    if not least > 0:
        return False
    multiples = gaps / least
    is_grid = np.abs(multiples - np.round(multiples)).max() < 0.1
    return bool(is_grid and multiples.mean() <= DENSE)
