"""What a mask takes out of sequences that is not padding."""

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


def without_masked(x: np.ndarray, value: float, *, at_end: bool = False) -> np.ndarray:
    """Return sequences as a recurrent layer reads them: without the masked steps.

    Args:
        x: Values `[n, steps, features]`.
        value: The value of all features in a step that is masked.
        at_end: Whether the steps that are left are the last ones, as with padding in
            front. Defaults to `False`.

    Returns:
        An array of the same shape: the steps that are left, then zeros.

    Example:
    >>> import numpy as np
    >>> from keras_dlbasic.inspection.masked_inside import without_masked
    >>> x = np.array([0.0, 5.0, 0.0, 7.0]).reshape(1, 4, 1)
    >>> without_masked(x, 0.0).ravel()
    array([5., 7., 0., 0.])
    """
    kept = (x != value).any(axis=2)
    order = np.argsort(kept if at_end else ~kept, axis=1, kind="stable")
    packed = np.take_along_axis(x, order[..., None], axis=1)
    left = np.take_along_axis(kept, order, axis=1)
    return np.where(left[..., None], packed, 0)
