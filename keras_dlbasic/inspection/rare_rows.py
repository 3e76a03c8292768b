"""Rows of rare classes, too few of which a look has seen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from keras_dlbasic.inspection.class_ids import class_ids

MIN_ROWS = 10
"""Of fewer rows it may be chance that none is right."""

MAX_ROWS = 48


def rare_rows(y: Any, looked: Sequence[int] | np.ndarray) -> np.ndarray:
    """Return the places of rows of classes that were hardly looked at.

    Args:
        y: Targets of all rows of a probe: class numbers, 0 and 1, one-hot rows, or
            several labels a row, of which the rarest counts.
        looked: Places of the rows that the last look was made on.

    Returns:
        At most 48 places, increasing, of classes with ten rows or more of which fewer
        than ten were looked at. Empty where there are none, and of other targets.

    Example:
    >>> import numpy as np
    >>> from keras_dlbasic.inspection.rare_rows import rare_rows
    >>> y = np.repeat([0, 1], [88, 12])
    >>> rare_rows(y, range(0, 100, 2)).tolist() == list(range(88, 100))
    True
    """
    y, none = np.asarray(y), np.arange(0)
    classes = class_ids(y)
    if classes is None:
        classes = rarest_label(y)
    if classes is None:
        return none
    numbers, counts = np.unique(classes, return_counts=True)
    if not 2 <= len(numbers) <= len(classes) // MIN_ROWS:
        return none
    seen = classes[np.asarray(looked, int)]
    by_size = sorted(zip(counts, numbers, strict=True))  # the rarest first
    rare = [
        number
        for count, number in by_size
        if count >= MIN_ROWS and (seen == number).sum() < MIN_ROWS
    ]
    if not rare:
        return none
    each = max(MIN_ROWS, MAX_ROWS // len(rare))
    rows = [
        np.flatnonzero(classes == number)[:each] for number in rare[: MAX_ROWS // each]
    ]
    return np.sort(np.concatenate(rows))


def rarest_label(y: np.ndarray) -> np.ndarray | None:
    """Return which rows have the rarest of several labels, None without such.

    Args:
        y: Targets; labels are 0 and 1, `[n, labels]`.

    Returns:
        0 and 1, `[n]`, of the label with fewest rows of those with ten or more.
    """
    if y.ndim != 2 or y.dtype.kind not in "iubf" or not np.isin(y, (0, 1)).all():
        return None
    counts = y.sum(axis=0)
    known = np.where(counts >= MIN_ROWS, counts, len(y))
    return np.asarray(y[:, int(known.argmin())], int) if known.min() < len(y) else None
