"""Whether rows of some data are the same by chance."""

from __future__ import annotations

import numpy as np

from keras_dlbasic.analysis.evenly import evenly

ROWS, FEATURES = 2000, 512

CONTINUOUS = 0.5
"""A column with more different values than this share of the rows is continuous."""

IDS = 0.25
"""Maximum number of values of a column of ids, relative to the rows."""

LIKELY = 0.05
"""Number of equal rows that each row has by chance where rows repeat by nature."""


def repeats_by_nature(x: np.ndarray, n_rows: int | None = None) -> bool:
    """Return whether rows are coarse: a few categories or whole numbers.

    From how often each value of a column occurs follows how probable it is that two
    rows are the same. Columns go together in part, so of the probability for columns
    that do not the root is taken.

    Args:
        x: Inputs, samples first.
        n_rows: Number of rows that a row may be the same as. Defaults to None: as many
            as there are.

    Example:
    >>> import numpy as np
    >>> from keras_dlbasic.inspection.repeats_by_nature import repeats_by_nature
    >>> rng = np.random.default_rng(0)
    >>> repeats_by_nature(rng.integers(0, 3, (500, 5)))
    True
    >>> repeats_by_nature(rng.normal(size=(500, 5)))
    False
    """
    flat = x[evenly(len(x), ROWS)].reshape(min(len(x), ROWS), -1)
    columns = flat[:, evenly(flat.shape[1], FEATURES)]
    if flat.shape[1] == 1 and _are_ids(flat):
        return True
    # copies make continuous columns look coarse, so each row counts once
    rows = np.unique(columns, axis=0)
    chance = 0.0
    for column in rows.T:
        _, counts = np.unique(column, return_counts=True)
        if len(counts) > CONTINUOUS * len(rows) and len(rows) > 2:
            return False
        # Two random rows have the same value in a column with probability sum(p**2).
        # The logarithms add up as if columns were independent.
        chance += float(np.log(np.sum((counts / len(rows)) ** 2)))
    chance *= flat.shape[1] / columns.shape[1]
    return bool((n_rows or len(x)) * np.exp(chance / 2) >= LIKELY)


def _are_ids(column: np.ndarray) -> bool:
    """Return whether the values of an only column are whole, and few of them."""
    if column.dtype.kind not in "iubf" or not (column == np.round(column)).all():
        return False
    return len(np.unique(column)) <= IDS * len(column)
