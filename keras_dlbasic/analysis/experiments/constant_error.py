"""The error of the best constant prediction."""

from __future__ import annotations

from typing import Any

import numpy as np


def constant_error(y: Any, kind: str) -> float:
    """Return the error of the best constant prediction, NaN if that is not known.

    Args:
        y: Targets, one array; of several outputs the error is not known.
        kind: `"classes"` (class numbers or one-hot rows: share of wrong ones),
            `"labels"` (rows of zeros and ones, or of minus ones and ones: share of
            wrong labels) or `"numbers"` (squared error as a share of the variance: 1).

    Example:
    >>> from keras_dlbasic.analysis.experiments.constant_error import constant_error
    >>> constant_error([0, 0, 0, 1], "classes")
    0.25
    """
    if isinstance(y, (dict, tuple)) or _has_parts(y):
        return float("nan")
    if kind == "numbers":
        return 1.0
    targets = np.asarray(y)
    if not targets.size:
        return float("nan")
    if kind == "labels":
        # Hinge losses have minus one for no.
        shares = (targets.reshape(len(targets), -1) > 0.5).mean(axis=0)
        return float(np.minimum(shares, 1 - shares).mean())
    is_one_hot = targets.ndim > 1 and targets.shape[-1] > 1
    classes = targets.argmax(axis=-1) if is_one_hot else targets
    _, counts = np.unique(classes, return_counts=True)
    return float(1 - counts.max() / counts.sum())


def _has_parts(y: Any) -> bool:
    """Return whether `y` is a list of arrays, one for each output."""
    return isinstance(y, list) and any(isinstance(part, np.ndarray) for part in y)
