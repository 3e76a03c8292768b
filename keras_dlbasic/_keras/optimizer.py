"""What Keras' optimizers keep in private: their rate, their variables, their sums."""

from __future__ import annotations

import math
from typing import Any

import keras


def optimizers_of(*models: Any) -> list[Any]:
    """Return the optimizers that models hold, `model.optimizer` first."""
    held = []
    for model in models:
        held += [getattr(model, "optimizer", None), *vars(model).values()]
    # Models with several optimizers, such as a GAN, may keep them in a list or dict.
    for value in list(held):
        if isinstance(value, (list, tuple)):
            held += value
        elif isinstance(value, dict):
            held += value.values()
    found = {id(o): o for o in held if isinstance(o, keras.optimizers.Optimizer)}
    # The step calls the outermost optimizer only. What that wraps is reached through
    # it, and would be counted twice.
    inner = {id(part) for o in found.values() for part in optimizers_within(o)}
    return [o for key, o in found.items() if key not in inner]


def optimizers_within(optimizer: Any) -> list[Any]:
    """Return the optimizers that another one calls: of a loss scale, or of several."""
    within = list(getattr(optimizer, "optimizers", ()))
    inner = getattr(optimizer, "inner_optimizer", None)
    return within if inner is None else [*within, inner]


def innermost(optimizer: Any) -> Any:
    """Return the optimizer below any `LossScaleOptimizer`."""
    while isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
        optimizer = optimizer.inner_optimizer
    return optimizer


def schedule_of(optimizer: Any) -> Any:
    """Return the schedule or function that gives the learning rate, or None."""
    rate = getattr(innermost(optimizer), "_learning_rate", None)
    is_given = callable(rate) and not isinstance(rate, keras.Variable)
    return rate if is_given else None


def current_learning_rate(optimizer: Any) -> float:
    """Return the learning rate as it is.

    NaN without an optimizer, of several (`MultiOptimizer`), and where a function of the
    user's gives the rate: one more call could change what it gives next.
    """
    schedule = schedule_of(optimizer)
    known = (type(None), keras.optimizers.schedules.LearningRateSchedule)
    if optimizer is None or not isinstance(schedule, known) or is_several(optimizer):
        return math.nan
    return float(keras.ops.convert_to_numpy(optimizer.learning_rate))


def evaluated_weights(optimizer: Any) -> str | None:
    """Say which weights a model is evaluated with, where an optimizer keeps others.

    None where it keeps none, or there is no optimizer.
    """
    inner = None if optimizer is None else innermost(optimizer)
    schedule_free = getattr(keras.optimizers, "ScheduleFreeAdamW", None)  # Keras 3.14
    if schedule_free is not None and isinstance(inner, schedule_free):
        return (
            "those that are trained, an interpolation between the fast weights and "
            "their average; Keras evaluates and saves these, not the average"
        )
    if getattr(inner, "use_ema", False):
        return (
            "those that are trained; the moving averages (`use_ema`) take their place "
            "at the end of the fit, or every `ema_overwrite_frequency` steps"
        )
    return None


def is_several(optimizer: Any) -> bool:
    """Return whether an optimizer hands variables to others with their own rates."""
    return hasattr(innermost(optimizer), "optimizers")


def read_learning_rate(optimizer: Any) -> float:
    """Return the learning rate of an optimizer whose rate can be set.

    Raises:
        ValueError: If the optimizer follows a schedule, or has several rates.
    """
    if is_several(optimizer):
        raise ValueError(
            "The learning rate must be set during the fit, but this optimizer "
            f"({type(innermost(optimizer)).__name__}) has several learning rates, one "
            "for each of its optimizers. Set those yourself, or compile the model "
            "with one optimizer."
        )
    schedule = schedule_of(optimizer)
    if schedule is not None:
        raise ValueError(
            "The learning rate is to be set during the fit, but this optimizer follows "
            f"a schedule: {schedule!r}. Compile the model with an "
            "optimizer whose `learning_rate` is a number."
        )
    return current_learning_rate(optimizer)


def write_learning_rate(optimizer: Any, value: float) -> None:
    """Set the learning rate."""
    innermost(optimizer).learning_rate = value


def built_for(optimizer: Any) -> list[Any] | None:
    """Return the variables that an optimizer was built for; None if not known."""
    variables = getattr(optimizer, "_trainable_variables", None)
    return None if variables is None else list(variables)


def steps_taken(optimizer: Any) -> int:
    """Return how many steps an optimizer has counted, each micro-step by itself.

    `optimizer.iterations` counts the updates: fewer, if gradients are accumulated.
    """
    return int(keras.ops.convert_to_numpy(optimizer._iterations.value))


def place_of(optimizer: Any, variable: Any) -> int:
    """Return which of the variables that an optimizer was built for this one is.

    Within a step TensorFlow gives its own variables and not those of Keras, so that
    one cannot look for the same object.
    """
    return int(optimizer._get_variable_index(variable))


def accumulated_gradients(optimizer: Any) -> list[Any]:
    """Return the variables in which an optimizer sums up gradients of micro-steps."""
    return list(innermost(optimizer)._accumulated_gradients)
