"""Curves of which little can be told: short ones, and those that hardly move."""

from __future__ import annotations

import numpy as np

from keras_dlbasic.records import TrainingRecord

MIN_EPOCHS = 5
"""With fewer epochs, a loss that hardly moves may be about to."""

STILL = 0.01
"""Range of a loss, relative to its level, up to which it hardly moves."""

GOOD_ACCURACY = 0.9


def too_short(loss: np.ndarray) -> str:
    """Return why a training loss is no curve to judge a run by; empty if it is one.

    Args:
        loss: The training loss of each epoch.

    Example:
    >>> from keras_dlbasic.diagnosis.still_curves import too_short
    >>> too_short([0.7]), too_short([0.7, 0.5])
    ('only 1 epoch was logged', '')
    """
    loss = np.asarray(loss)
    loss = loss[np.isfinite(loss)]
    if len(loss) == 1:
        return "only 1 epoch was logged"
    if 1 < len(loss) < MIN_EPOCHS and _is_still(loss, STILL):
        return f"the loss hardly moves in the {len(loss)} epochs that were logged"
    return ""


def hardly_moves(record: TrainingRecord, still: float, zero: float) -> bool:
    """Return whether neither loss nor metrics show that a run learned something.

    Args:
        record: What was recorded; only its epochs are looked at.
        still: Range, relative to the level, up to which a curve does not move.
        zero: A loss up to this leaves nothing to learn.
    """
    loss = _finite(record, "loss")
    if abs(float(np.median(loss))) <= zero or not _is_still(loss, still):
        return False
    # Where the loss of a model that was trained before is flat, its accuracy is high.
    # A metric that moves tells of learning that a large penalty hides in the loss.
    for name in record.epochs:
        is_rate = "learning_rate" in name or name in ("lr", "epoch", "step")
        if is_rate or name.endswith("loss"):
            continue
        metric = _finite(record, name)
        if len(metric) and not _is_still(metric, 5 * still):
            return False
        if len(metric) and "acc" in name and metric[-1] >= GOOD_ACCURACY:
            return False
    return True


def _finite(record: TrainingRecord, name: str) -> np.ndarray:
    values = record.epochs[name]
    return values[np.isfinite(values)]


def _is_still(values: np.ndarray, still: float) -> bool:
    return bool(np.ptp(values) <= still * abs(float(np.median(values))))
