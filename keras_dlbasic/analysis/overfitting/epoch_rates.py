"""The learning rate of each epoch, as far as a record knows it."""

from __future__ import annotations

import numpy as np

from keras_dlbasic.records import TrainingRecord


def epoch_rates(record: TrainingRecord) -> np.ndarray | None:
    """Return the learning rate of each epoch, `[n]`; None if none is known.

    From the logs, where Keras' schedules and callbacks write it; else that of the last
    sampled step of the epoch. NaN where neither is there.

    Args:
        record: What was recorded.

    Example:
    >>> from keras_dlbasic.analysis.overfitting.epoch_rates import epoch_rates
    >>> from keras_dlbasic.records import TrainingRecord
    >>> logs = {"loss": [3.0, 2.0], "learning_rate": [0.1, 0.05]}
    >>> epoch_rates(TrainingRecord.from_history(logs)).tolist()
    [0.1, 0.05]
    """
    epochs = record.epochs
    numbers = epochs.get("epoch", np.zeros(0))
    rates = np.full(len(numbers), np.nan)
    if len(record.steps):
        # the last one of an epoch overwrites those before
        known = dict(zip(record.step_epochs, record.learning_rate, strict=True))
        rates = np.array([known.get(int(n), np.nan) for n in numbers], np.float64)
    for name in ("lr", "learning_rate"):
        logged = epochs.get(name)
        if logged is not None:
            rates = np.where(np.isfinite(logged), logged, rates)
    return rates if np.isfinite(rates).any() else None
