"""The metric in which Keras averages the loss of an epoch."""

from __future__ import annotations

from typing import Any

import keras


def loss_tracker(model: Any) -> Any:
    """Return the metric that averages the loss of the batches; None if it is none."""
    metrics = model.metrics
    is_loss = metrics and metrics[0].name == "loss"
    return metrics[0] if is_loss and type(metrics[0]) is keras.metrics.Mean else None


def counted_rows(model: Any) -> int | None:
    """Return over how many rows the loss was averaged since it was reset last.

    After an epoch these are its rows; after a validation, those of the validation.
    A `train_step` of the user's may count something else, such as batches.

    Args:
        model: A compiled model, whose variables are in sync.

    Returns:
        The number; None where it is not known.
    """
    tracker = loss_tracker(model)
    if tracker is None:
        return None
    count = float(keras.ops.convert_to_numpy(tracker.count))
    return int(count) if count > 0 and count == round(count) < 2**24 else None
