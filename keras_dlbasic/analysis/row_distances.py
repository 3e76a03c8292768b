"""How far the inputs of each row are from those of others."""

from __future__ import annotations

from typing import Any

import numpy as np

from keras_dlbasic.analysis.evenly import evenly

NEIGHBORS = 5
OTHERS, FEATURES = 2000, 1024
"""Rows that each row is compared with, and columns, at most; evenly chosen."""

AT_ONCE = 512


def row_distances(x: Any) -> np.ndarray:
    """Return the mean distance of each row to its five nearest neighbors.

    Columns are scaled to a standard deviation of one, so the unit is that of a column.
    Inputs that are like no other, by noise or a broken scaling, are far from all.

    Args:
        x: Inputs, samples first `[n, ...]`.

    Returns:
        Distances `[n]`, divided by the root of the number of columns that vary; zeros
        if none does. Infinite for rows with values that are not finite, which are left
        out of the distances of the others.

    Example:
    >>> import numpy as np
    >>> from keras_dlbasic.analysis.row_distances import row_distances
    >>> x = np.random.default_rng(0).normal(size=(50, 3))
    >>> x[7] += 20
    >>> int(np.argmax(row_distances(x)))
    7
    """
    rows = np.asarray(x)
    n = len(rows)
    if rows.dtype.kind not in "biuf" or n < 2:
        return np.zeros(n)
    flat = rows.reshape(n, -1)
    flat = flat[:, evenly(flat.shape[1], FEATURES)].astype(np.float64)
    finite = np.isfinite(flat).all(axis=1)
    if not finite.all():
        found = np.full(n, np.inf)
        found[finite] = row_distances(rows[finite])
        return found
    spread = flat.std(axis=0)
    used = spread > 0
    if not used.any():
        return np.zeros(n)
    flat = (flat[:, used] - flat[:, used].mean(axis=0)) / spread[used]
    known = evenly(n, OTHERS)
    nearest = min(NEIGHBORS, len(known) - 1)
    found = np.empty(n)
    squares = (flat**2).sum(axis=1)
    # In pieces, so that the table of distances stays small. A row is no neighbor of
    # itself, even where it is among those compared.
    for start in range(0, n, AT_ONCE):
        here = np.arange(start, min(start + AT_ONCE, n))
        away = squares[here, None] + squares[known] - 2 * flat[here] @ flat[known].T
        away[here[:, None] == known] = np.inf
        near = np.partition(away, nearest - 1, axis=1)[:, :nearest]
        found[here] = np.sqrt(np.maximum(near, 0)).mean(axis=1)
    return np.asarray(found / np.sqrt(used.sum()))
