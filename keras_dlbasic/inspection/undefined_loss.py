"""Rows whose loss is not defined, whatever is predicted."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from keras_dlbasic.inspection.baseline import parts_of, sample_losses
from keras_dlbasic.records.probe_facts import UndefinedFacts

MOST_ALONE = 128
"""At most this many rows are evaluated one by one, where a loss gives one number for
a batch."""

SHOWN = 4
"""Number of values of a target that are kept as an example."""


def undefined_loss(
    loss: Any, y: Any, shape: tuple[int, ...], seed: int = 0
) -> UndefinedFacts | None:
    """Return which rows have a loss that is NaN or infinite for all predictions.

    A row counts if its loss is not finite for each of three predictions: standard
    normal numbers, the same behind a sigmoid, and behind a softmax. So a logarithm of a
    prediction does not count, but that of a negative target does.

    Args:
        loss: What `model.compile` was given.
        y: Targets, samples first.
        shape: Shape of what the model gives for these rows.
        seed: Of the predictions.

    Returns:
        None if the loss is finite for all rows, or for less than half of them: then it
        is not the rows that matter.

    Example:
    >>> import numpy as np
    >>> from keras import ops
    >>> from keras_dlbasic.inspection.undefined_loss import undefined_loss
    >>> def of_logs(y_true, y_pred):
    ...     return ops.square(ops.log(y_true) - y_pred)
    >>> y = np.array([[2.0], [-1.0], [3.0], [1.0]])
    >>> undefined_loss(of_logs, y, (4, 1)).example
    (-1.0,)
    """
    y = np.asarray(y)
    if loss is None or not len(y) or shape[:1] != (len(y),):
        return None
    draws = _predictions(shape, seed)
    is_lost = _lost_in_all(loss, y, draws)
    # one row may have made that of all others that the loss was given with it
    together = [] if is_lost is None else parts_of(len(y))
    if is_lost is None or any(is_lost[part].all() for part in together):
        y, draws = y[:MOST_ALONE], [draw[:MOST_ALONE] for draw in draws]
        alone = [
            _lost_in_all(loss, y[i : i + 1], [draw[i : i + 1] for draw in draws])
            for i in range(len(y))
        ]
        is_lost = np.array([lost is None or bool(lost.all()) for lost in alone])
    count = int(is_lost.sum())
    if not 0 < count < len(y) / 2:
        return None
    example = np.ravel(y[np.argmax(is_lost)]).astype(float)
    return UndefinedFacts(
        rows=count, of=len(y), example=tuple(example[:SHOWN].tolist())
    )


def _predictions(shape: tuple[int, ...], seed: int) -> list[np.ndarray]:
    normal = np.random.default_rng(seed).normal(size=shape).astype(np.float32)
    powers = np.exp(normal)
    return [
        powers / powers.sum(axis=-1, keepdims=True),
        1 / (1 + 1 / powers),
        normal,
    ]


def _lost_in_all(
    loss: Any, y: np.ndarray, draws: list[np.ndarray]
) -> np.ndarray | None:
    """Return which rows have no finite loss; None if it is not given by row."""
    is_lost = np.ones(len(y), bool)
    is_by_row = True
    for draw in draws:
        losses = sample_losses(loss, y, draw)
        if len(losses) == len(y):
            is_lost &= ~np.isfinite(losses)
        else:
            is_by_row = False
            is_lost &= not math.isfinite(losses.sum())
        if not is_lost.any():
            return is_lost
    return is_lost if is_by_row else None
