"""Inputs that a callback was given, against those that a fit trains on."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from keras_dlbasic.analysis.evenly import evenly
from keras_dlbasic.inspection.held_out import row_keys
from keras_dlbasic.inspection.other_targets import MAX_BYTES as ALL_BYTES
from keras_dlbasic.inspection.other_targets import MAX_ROWS as ALL_ROWS

MAX_ROWS, MIN_ROWS = 512, 16
MAX_COLUMNS = 256

MIN_ENTRIES = 8
"""A column with fewer entries besides zeros says nothing."""

TIMES, MOST = 4.0, 0.75
"""Inputs were scaled in different ways if the medians of at least this share of the
columns differ by this factor in the same direction."""


def other_inputs(x: Any, seen: Any) -> str | None:
    """Return how given inputs differ in scale from those in training.

    A generator or a data set may scale rows that were given as they were read. Columns
    with rare large entries differ by chance, so the medians of all columns count, and
    no row in training may be one of those given.

    Args:
        x: Inputs as they were given, samples first: NumPy arrays.
        seen: Inputs that passed in training.

    Returns:
        The typical sizes; None if they are alike, or cannot be compared.

    Example:
    >>> import numpy as np
    >>> from keras_dlbasic.inspection.other_inputs import other_inputs
    >>> pixels = np.full((32, 4), 255.0)
    >>> other_inputs(pixels, pixels / 255)
    'a typical entry of the given inputs is 255, but one of the batches is 1'
    """
    try:
        keras.tree.assert_same_structure(x, seen)
    except (ValueError, TypeError):
        return None
    pairs = zip(keras.tree.flatten(x), keras.tree.flatten(seen), strict=True)
    for given, trained in pairs:
        if np.shape(given)[1:] != np.shape(trained)[1:]:
            continue
        ours, theirs = _sizes(given), _sizes(trained)
        if ours is None or theirs is None:
            continue
        known = np.isfinite(ours) & np.isfinite(theirs)
        ours, theirs = ours[known], theirs[known]
        if _share_apart(ours, theirs) < MOST or _has_rows_of(given, trained):
            continue
        return (
            f"a typical entry of the given inputs is {np.median(ours):.3g}, but one of "
            f"the batches is {np.median(theirs):.3g}"
        )
    return None


def _sizes(rows: Any) -> np.ndarray | None:
    """Return the median size of some columns, besides zeros; NaN where not known."""
    if rows is None or np.ndim(rows) < 2 or len(rows) < MIN_ROWS:
        return None
    some = np.asarray(rows[evenly(len(rows), MAX_ROWS)])
    if some.dtype.kind not in "iuf":
        return None
    columns = some.reshape(len(some), -1).T  # as rows they are sorted much faster
    sizes = np.abs(columns[evenly(len(columns), MAX_COLUMNS)].astype(np.float64))
    sizes[(sizes == 0) | ~np.isfinite(sizes)] = np.inf
    counts = np.isfinite(sizes).sum(axis=1)
    found = np.full(len(sizes), np.nan)
    # columns that have equally many entries are done at once
    for count in np.unique(counts[counts >= MIN_ENTRIES]):
        places = counts == count
        middle = (count - 1) // 2, count // 2
        sizes[places] = np.partition(sizes[places], middle, axis=1)
        found[places] = sizes[places][:, middle].mean(axis=1)
    return found


def _share_apart(ours: np.ndarray, theirs: np.ndarray) -> float:
    """Return the share of columns that differ, in the direction of most."""
    if not len(ours):
        return 0.0
    ratios = ours / theirs
    return float(max(np.mean(ratios > TIMES), np.mean(ratios < 1 / TIMES)))


def _has_rows_of(given: Any, trained: Any) -> bool:
    """Return whether rows in training are among those given; True if it is unknown.

    Blank rows are the same on any scale.
    """
    if len(given) > ALL_ROWS or given.nbytes > ALL_BYTES:
        return True
    seen = np.asarray(trained)
    seen = seen[seen.reshape(len(seen), -1).any(axis=1)]
    return bool(np.isin(row_keys(seen), row_keys(np.asarray(given))).any())
