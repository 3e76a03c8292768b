"""The learning rate of an optimizer, read and set during a fit."""

from __future__ import annotations

from typing import Any

import keras


def read_learning_rate(optimizer: Any) -> float:
    """Return the learning rate.

    Raises:
        ValueError: If the optimizer follows a schedule.
    """
    inner = getattr(optimizer, "inner_optimizer", optimizer)
    if not isinstance(inner._learning_rate, keras.Variable):
        raise ValueError(
            "The learning rate is to be set during the fit, but this optimizer follows "
            f"a schedule: {inner._learning_rate!r}. Compile the model with an "
            "optimizer whose `learning_rate` is a number."
        )
    return float(keras.ops.convert_to_numpy(optimizer.learning_rate))


def write_learning_rate(optimizer: Any, value: float) -> None:
    """Set the learning rate."""
    getattr(optimizer, "inner_optimizer", optimizer).learning_rate = value
