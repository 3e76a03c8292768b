"""Predictions that are exactly 0, where a loss asks for less."""

from __future__ import annotations

from typing import Any

import numpy as np

from keras_dlbasic.inspection.baseline import sample_losses
from keras_dlbasic.records.probe_facts import HeldFacts

BELOW, MOST_COLUMNS = 0.1, 16
"""Length of a change below zero, in units of the predictions' spread, and the most
columns to try."""

SAME = 1e-6
"""A loss is the same up to this share of itself."""


def held_at_zero(loss: Any, y: np.ndarray, outputs: np.ndarray) -> HeldFacts | None:
    """Find a column of predictions that are exactly 0, and should be below.

    A rectifier gives exactly 0 for whatever is below. It has no slope there, so these
    predictions stay where they are.

    Args:
        loss: As for `sample_losses`.
        y: Targets, samples first.
        outputs: Predictions, `[n, columns]`.

    Returns:
        The column with the most such predictions; None if there are none, or the loss
        is not known row by row.

    Example:
    >>> import numpy as np
    >>> from keras import ops
    >>> from keras_dlbasic.inspection.held_at_zero import held_at_zero
    >>> error = lambda y, p: ops.mean(ops.square(y - p), axis=-1)
    >>> y = np.linspace(-3.0, 1.0, 5)[:, None]
    >>> held_at_zero(error, y, np.maximum(y, 0)).share
    0.6
    """
    outputs = np.asarray(outputs, np.float32)
    if outputs.ndim != 2 or outputs.shape[1] > MOST_COLUMNS or not (outputs == 0).any():
        return None
    start = sample_losses(loss, y, outputs)
    if len(start) != len(y) or not np.isfinite(start).all():
        return None
    size = np.float32(BELOW * max(1.0, float(np.std(outputs))))
    best = None
    for column in range(outputs.shape[1]):
        at_zero = outputs[:, column] == 0
        moved = outputs.copy()
        moved[at_zero, column] = -size
        found = sample_losses(loss, y, moved)
        is_lower = at_zero & (found < start - SAME * np.abs(start))
        share = float(is_lower.mean())
        if share > (best.share if best is not None else 0.0):
            best = HeldFacts(column, share, float(start.mean()), float(found.mean()))
    return best
