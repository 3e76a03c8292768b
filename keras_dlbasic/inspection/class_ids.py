"""The class of each row of targets."""

from __future__ import annotations

import numpy as np


def class_ids(y: np.ndarray) -> np.ndarray | None:
    """Return the class of each row, None if the targets are no classes.

    Args:
        y: Class numbers, `[n]` or `[n, 1]`, or one-hot rows `[n, classes]`.

    Returns:
        Whole numbers `[n]`; None for other targets.

    Example:
    >>> import numpy as np
    >>> from keras_dlbasic.inspection.class_ids import class_ids
    >>> class_ids(np.eye(3)[[2, 0]]), class_ids(np.array([0.5, 1.0]))
    (array([2, 0]), None)
    """
    if not y.ndim:
        return None
    if y.ndim > 1 and y.shape[-1] > 1:
        if y.ndim > 2 or not np.isin(y, (0, 1)).all() or (y.sum(axis=1) != 1).any():
            return None
        return np.asarray(y.argmax(axis=1))
    flat = y.reshape(len(y), -1)
    if flat.shape[1] != 1 or flat.dtype.kind not in "iubf":
        return None
    flat = flat[:, 0]
    if not np.isfinite(flat).all() or (flat != np.round(flat)).any():
        return None
    return flat.astype(np.int64)
