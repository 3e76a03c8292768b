"""How many steps amid a sequence a mask takes out."""

from __future__ import annotations

import math

import numpy as np

from keras_dlbasic.analysis.evenly import evenly

ROWS = 512


def masked_inside(x: np.ndarray, value: float | None, *, is_ids: bool = False) -> float:
    """Return the share of steps with a mask between the first and last without.

    Padding is at the ends. A step amid a sequence that equals the mask's value is data,
    or a value that is missing.

    Args:
        x: Sequences: ids `[n, steps]`, or values `[n, steps, features]`.
        value: The value that is masked, None if the model makes no mask.
        is_ids: Whether entries are ids. Defaults to `False`.

    Returns:
        The share of the steps from the first to the last that is not masked, over all
        rows; NaN for what is no sequence, or without a mask.

    Example:
    >>> import numpy as np
    >>> from keras_dlbasic.inspection.masked_inside import masked_inside
    >>> masked_inside(np.array([[5, 0, 7, 2, 0, 0]]), 0, is_ids=True)
    0.25
    """
    if value is None or x.dtype.kind not in "iuf" or x.ndim != (2 if is_ids else 3):
        return math.nan
    if not x.size:
        return math.nan
    rows = x[evenly(len(x), ROWS)]
    kept = rows != value if is_ids else (rows != value).any(axis=2)
    begun = np.maximum.accumulate(kept, axis=1)
    not_over = np.maximum.accumulate(kept[:, ::-1], axis=1)[:, ::-1]
    inside = begun & not_over
    total = int(inside.sum())
    return float((inside & ~kept).sum() / total) if total else math.nan
