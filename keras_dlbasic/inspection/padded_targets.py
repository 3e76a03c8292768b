"""How much of targets at each step is padding, as that of the inputs."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from keras_dlbasic.analysis.evenly import evenly
from keras_dlbasic.inspection.padding_steps import padding_steps

ROWS = 512

ALIKE = 0.99
"""Of the targets at padding, at least this share must be the same number."""


def padded_targets(
    y: np.ndarray, inputs: Sequence[tuple[str, np.ndarray, bool]]
) -> float:
    """Return the share of the targets that stand at padding and are all the same.

    Args:
        y: Targets, `[n, steps]`, `[n, steps, 1]` or one-hot `[n, steps, classes]`.
        inputs: Arrays of inputs, each with its name and whether it holds ids.

    Returns:
        The share; NaN where targets have no steps, or no input has the same.

    Example:
    >>> import numpy as np
    >>> from keras_dlbasic.inspection.padded_targets import padded_targets
    >>> x = np.array([[5, 7, 0, 0], [3, 0, 0, 0], [8, 9, 0, 0]])
    >>> y = np.array([[1, 2, 0, 0], [2, 0, 0, 0], [1, 1, 0, 0]])
    >>> round(padded_targets(y, [("x", x, True)]), 2)
    0.58
    """
    if y.dtype.kind not in "iubf" or y.ndim not in (2, 3) or not y.size:
        return math.nan
    for _, x, is_ids in inputs:
        if x.ndim < 2 or x.shape[:2] != y.shape[:2]:
            continue
        rows = evenly(len(x), ROWS)
        steps = padding_steps(x[rows], is_ids=is_ids)
        if steps is None:
            continue
        n = x.shape[1]
        is_padding = np.arange(n) >= n - steps[:, None]
        if not is_padding.any():
            return 0.0
        there = y[rows].reshape(len(rows), n, -1)[is_padding]
        counts = np.unique(there, axis=0, return_counts=True)[1]
        is_same = counts.max() >= ALIKE * len(there)
        return float(is_padding.mean()) if is_same else 0.0
    return math.nan
