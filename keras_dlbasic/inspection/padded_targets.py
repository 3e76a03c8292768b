"""How much of targets at each step is padding, as that of the inputs."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from keras_dlbasic.analysis.evenly import evenly
from keras_dlbasic.inspection.padding_steps import padding_steps

ROWS, MAX_CLASSES = 512, 1000

ALIKE = 0.99
"""Of the targets at padding, at least this share must be the same number."""


def padded_targets(y: np.ndarray, inputs: Sequence[tuple[np.ndarray, bool]]) -> float:
    """Return the share of the targets that stand at padding and are all the same.

    Args:
        y: Targets, `[n, steps]`, `[n, steps, 1]` or one-hot `[n, steps, classes]`.
        inputs: Arrays of inputs, each with whether it holds ids.

    Returns:
        The share; NaN where targets have no steps, or no input has the same.

    Example:
    >>> import numpy as np
    >>> from keras_dlbasic.inspection.padded_targets import padded_targets
    >>> x = np.array([[5, 7, 0, 0], [3, 0, 0, 0], [8, 9, 0, 0]])
    >>> y = np.array([[1, 2, 0, 0], [2, 0, 0, 0], [1, 1, 0, 0]])
    >>> round(padded_targets(y, [(x, True)]), 2)
    0.58
    """
    if y.dtype.kind not in "iubf" or y.ndim not in (2, 3) or not y.size:
        return math.nan
    if y.ndim == 3 and y.shape[2] > MAX_CLASSES:
        return math.nan
    for x, is_ids in inputs:
        if x.ndim < 2 or x.shape[:2] != y.shape[:2]:
            continue
        if y.ndim == 3 and y.shape == x.shape:
            continue  # a picture and its mask, or a series that is reconstructed
        rows = evenly(len(x), ROWS)
        steps = padding_steps(x[rows], is_ids=is_ids)
        if steps is None:
            continue
        n = x.shape[1]
        is_padding = np.arange(n) >= n - steps[:, None]
        if not is_padding.any():
            return 0.0
        there = y[rows].reshape(len(rows), n, -1)[is_padding]
        is_same = bool((there == there[0]).all(axis=1).mean() >= ALIKE)
        # rows of zeros have no loss in a cross-entropy of one-hot rows
        has_loss = there.shape[1] == 1 or there[0].any()
        return float(is_padding.mean()) if is_same and has_loss else 0.0
    return math.nan
