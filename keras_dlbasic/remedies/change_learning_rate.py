"""The remedy that takes larger or smaller steps."""

from __future__ import annotations

from typing import Any

import keras

from keras_dlbasic._arguments import is_number, shown
from keras_dlbasic._wrong_arguments import names_nearest
from keras_dlbasic.remedies._registry import remedy
from keras_dlbasic.remedies.change_optimizer import (
    changed_optimizer,
    check_one_optimizer,
    innermost_config,
    with_optimizer,
)


@remedy(repeatable=True)
@names_nearest
def change_learning_rate(
    model: Any,
    learning_rate: Any = None,
    *,
    factor: float | None = None,
    in_place: bool = False,
) -> Any:
    """Compile a copy of a model with another learning rate.

    Args:
        model: A built and compiled Sequential or Functional model. With `in_place` any
            class of model works.
        learning_rate: The new rate: a number or a Keras schedule. It also replaces an
            existing schedule.
        factor: Factor for the current rate, or for all rates of a schedule.
        in_place: Whether to compile `model` itself instead of a copy. Defaults to
            `False`.

    Returns:
        A new model with the same weights and a new optimizer state.

    Raises:
        ValueError: If not exactly one of `learning_rate` and `factor` is given, if it
            is not positive, or if the model is not compiled or cannot be rebuilt.

    Example:
    >>> import keras
    >>> import keras_dlbasic as kd
    >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
    >>> model.compile(optimizer=keras.optimizers.SGD(0.5), loss="mse")
    >>> new = kd.remedies.change_learning_rate(model, factor=0.1)
    >>> round(float(new.optimizer.learning_rate), 3)
    0.05
    """
    schedule = isinstance(
        learning_rate, keras.optimizers.schedules.LearningRateSchedule
    )
    given = [v for v in (learning_rate, factor) if v is not None]
    if len(given) != 1 or not (schedule or (is_number(given[0]) and given[0] > 0)):
        raise ValueError(
            "Give either `learning_rate` or `factor`, a positive number. Received: "
            f"learning_rate={shown(learning_rate)}, factor={shown(factor)}. A range "
            "test gives None if the loss falls at no rate: then the rate is not the "
            "reason."
        )
    check_one_optimizer(model)
    rate = innermost_config(model.optimizer)["learning_rate"]
    if schedule:
        rate = keras.saving.serialize_keras_object(learning_rate)
    elif learning_rate is not None:
        rate = float(learning_rate)
    elif isinstance(rate, dict):
        rate = _scaled_schedule(rate, given[0])
    else:
        rate = float(rate) * given[0]
    optimizer = changed_optimizer(model.optimizer, learning_rate=rate)
    return with_optimizer(model, optimizer, in_place=in_place)


def _scaled_schedule(config: dict[str, Any], factor: float) -> dict[str, Any]:
    """Multiply all the rates of a schedule of Keras'.

    Raises:
        ValueError: If the schedule is not one of Keras'.
    """
    schedule = keras.saving.deserialize_keras_object(config)
    inner = config["config"]
    rates = [name for name in inner if name in _RATES]
    if not rates or not type(schedule).__module__.startswith("keras."):
        raise ValueError(
            f"The schedule {type(schedule).__name__} cannot be scaled by `factor`: "
            "its rates are not known. Give `learning_rate`, or change it by hand."
        )
    scaled = dict(inner)
    for name in rates:
        value = inner[name]
        if isinstance(value, list):
            scaled[name] = [factor * v for v in value]
        elif value is not None:
            scaled[name] = factor * value
    return {**config, "config": scaled}


_RATES = ("initial_learning_rate", "end_learning_rate", "warmup_target", "values")
