"""Rows that have no gradient, though their loss could be lower."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from keras import ops

from keras_dlbasic._backends.as_tensor import as_tensor
from keras_dlbasic._backends.compiled_loss import compiled_loss
from keras_dlbasic._backends.generators import generators_kept
from keras_dlbasic._backends.loading import backend_module
from keras_dlbasic.inspection.baseline import fitted, parts_of, sample_losses

FAR = tuple(0.1 * 1.2**step for step in range(26))
"""Lengths of large changes in units of the spread of predictions and targets: close
together, as slopes may be narrow."""

LOWER = 0.7
"""A loss is clearly lower below this share of itself."""


def flat_rows(loss: Any, y: np.ndarray, outputs: np.ndarray) -> float:
    """Return the share of rows that have no gradient and are not right.

    If the gradient for all predictions of a row is exactly 0 and the loss is clearly
    lower after a large change of them, they are not what the loss asks for.

    Args:
        loss: As for `sample_losses`.
        y: Targets, samples first.
        outputs: Predictions.

    Returns:
        NaN where the loss is not known row by row.

    Example:
    >>> import numpy as np
    >>> from keras import ops
    >>> from keras_dlbasic.inspection.flat_loss import flat_rows
    >>> def clipped(y_true, y_pred):
    ...     return ops.square(ops.clip(y_true - y_pred, -1.0, 1.0))[:, 0]
    >>> flat_rows(clipped, np.array([[0.5], [9.0], [7.0], [8.0]]), np.zeros((4, 1)))
    0.75
    """
    outputs = np.asarray(outputs, np.float32)
    size = float(np.std(outputs))
    if y.dtype.kind in "iuf":
        size = max(size, float(np.nanstd(y.astype(np.float64))))
    if not math.isfinite(size) or size == 0:
        return math.nan

    def losses(change: float) -> np.ndarray:
        moved = (outputs + np.float32(change * size)).astype(np.float32)
        return sample_losses(loss, y, moved)

    start = losses(0.0)
    if len(start) != len(y) or not np.isfinite(start).all():
        return math.nan
    is_flat = _slopes(loss, y, outputs) == 0
    is_stuck = np.zeros(len(y), bool)
    is_asked = is_flat & (start > 0)
    for change in (sign * far for far in FAR for sign in (1, -1)):
        if (is_stuck | ~is_asked).all():
            break
        is_stuck |= is_asked & (losses(change) < LOWER * start)
    return float(is_stuck.mean())


def _slopes(loss: Any, y: np.ndarray, outputs: np.ndarray) -> np.ndarray:
    """Return the largest gradient of each row for its predictions.

    The values alone do not tell: a straight-through estimator has a gradient where they
    do not change.
    """
    module = backend_module("autodiff", "Gradients can be taken")
    compute = compiled_loss(loss, fitted)
    ends = [(part.start, part.stop) for part in parts_of(len(y))]

    def total(at: list[Any]) -> Any:
        # each part is what the loss is given at once
        return sum(ops.sum(compute(as_tensor(y[a:b]), at[0][a:b])) for a, b in ends)

    with generators_kept(loss):
        slopes = module.gradient(total, [as_tensor(outputs)])[0]
    size = np.abs(np.asarray(ops.convert_to_numpy(slopes), np.float64))
    return size.reshape(len(y), -1).max(axis=1)
