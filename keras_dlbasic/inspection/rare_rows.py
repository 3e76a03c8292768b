"""Rows of rare classes, too few of which a look has seen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

ENOUGH = 10
"""Of fewer rows it may be chance that none is right."""

MOST = 48


def rare_rows(y: Any, looked: Sequence[int] | np.ndarray) -> np.ndarray:
    """Return the places of rows of classes that were hardly looked at.

    Args:
        y: Targets of all rows of a probe: class numbers, 0 and 1, or one-hot rows.
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
    classes = _classes(np.asarray(y))
    none = np.arange(0)
    if classes is None:
        return none
    numbers, counts = np.unique(classes, return_counts=True)
    if not 2 <= len(numbers) <= len(classes) // ENOUGH:
        return none
    seen = classes[np.asarray(looked, int)]
    rare = [
        number
        for number, count in zip(numbers, counts, strict=True)
        if count >= ENOUGH and (seen == number).sum() < ENOUGH
    ]
    if not rare:
        return none
    each = max(ENOUGH, MOST // len(rare))
    rows = [np.flatnonzero(classes == number)[:each] for number in rare[: MOST // each]]
    return np.sort(np.concatenate(rows))


def _classes(y: np.ndarray) -> np.ndarray | None:
    """Return the class of each row; None where a row has none, or several."""
    if y.ndim == 2 and y.shape[1] > 1:
        is_one_hot = np.isin(y, (0, 1)).all() and (y.sum(axis=1) == 1).all()
        return np.asarray(y.argmax(axis=1)) if is_one_hot else None
    if not y.ndim or y.size != len(y) or y.dtype.kind not in "iubf":
        return None
    flat = y.reshape(-1)
    return flat if (flat == np.round(flat)).all() else None
