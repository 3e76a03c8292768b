"""Whether a loss is lower for right predictions than for wrong ones."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from keras_dlbasic.inspection.baseline import as_columns, sample_losses

LEAST_ROWS = 8

MARGIN = 0.05
"""What one loss has to be above another, relative to the larger, to tell anything."""

NEAR = 1e-4
"""Probabilities are kept this far from 0 and 1, where their logarithm is infinite."""

BOUNDED = ("sigmoid", "softmax", "hard_sigmoid")


def has_right_sense(
    loss: Any, targets: np.ndarray, shape: tuple[int, ...], activation: str | None
) -> bool | None:
    """Return False if a loss is lower for other rows' targets than for a row's own.

    The targets themselves are given to the loss as predictions, in each form that the
    output may have (values, probabilities, logits), and then those of other rows. A
    loss of the wrong sign, or a measure of agreement that is minimized, is lower for
    the others in every form.

    Args:
        loss: A loss of the user's, as `model.compile` was given it.
        targets: Targets, samples first.
        shape: Shape of the model's outputs for these rows.
        activation: Name of the output's activation; None for none.

    Returns:
        None where it cannot be told: targets of another shape than the outputs, few
        rows, or losses that are not finite or alike.

    Example:
    >>> import numpy as np
    >>> from keras_dlbasic.inspection.loss_sense import has_right_sense
    >>> y = np.arange(9.0)[:, None]
    >>> has_right_sense(lambda y, p: (y - p) ** 2, y, y.shape, None)
    True
    >>> has_right_sense(lambda y, p: -((y - p) ** 2), y, y.shape, None)
    False
    """
    columns = as_columns(targets, shape)
    if columns is None or len(targets) < LEAST_ROWS:
        return None
    # half around: rows that are sorted by class get those of another one
    others = np.roll(columns.reshape(shape), len(targets) // 2, axis=0)
    senses = [
        _sense(loss, targets, own, other)
        for own, other in zip(
            _forms(columns.reshape(shape), activation),
            _forms(others, activation),
            strict=True,
        )
    ]
    known = [sense for sense in senses if sense is not None]
    return any(known) if known else None


def _forms(truth: np.ndarray, activation: str | None) -> Iterator[np.ndarray]:
    """Yield the outputs that say the same as targets, by what the output can be."""
    is_share = truth.min() >= 0 and truth.max() <= 1
    yield np.clip(truth, NEAR, 1 - NEAR) if is_share else truth
    if is_share and activation not in BOUNDED:
        yield 10.0 * (2.0 * truth - 1.0)


def _sense(
    loss: Any, targets: np.ndarray, own: np.ndarray, other: np.ndarray
) -> bool | None:
    right, wrong = (
        float(sample_losses(loss, targets, outputs.astype("float32")).mean())
        for outputs in (own, other)
    )
    if not (np.isfinite(right) and np.isfinite(wrong)):
        return None
    if abs(right - wrong) <= MARGIN * max(abs(right), abs(wrong), 1e-9):
        return None
    return right < wrong
