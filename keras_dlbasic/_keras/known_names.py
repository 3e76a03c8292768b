"""Names of Keras that arguments may give, and the nearest to a wrong one."""

from __future__ import annotations

from typing import Any

import keras

from keras_dlbasic._arguments import shown
from keras_dlbasic._nearest import nearest


def check_activation(activation: Any) -> None:
    """Check that Keras knows an activation.

    Raises:
        ValueError: If it does not.
    """
    try:
        keras.activations.get(activation)
    except ValueError as error:
        names = _functions_of(keras.activations)
        raise ValueError(
            f"There is no activation {shown(activation)}. {nearest(activation, names)}"
        ) from error


def optimizer_of(optimizer: Any) -> Any:
    """Return the optimizer of a name, or what Keras makes of anything else.

    Raises:
        ValueError: If Keras does not know it.
    """
    try:
        return keras.optimizers.get(optimizer)
    except ValueError as error:
        names = [
            name.lower()
            for name, kind in vars(keras.optimizers).items()
            if isinstance(kind, type) and issubclass(kind, keras.optimizers.Optimizer)
        ]
        names = [n for n in names if n not in ("optimizer", "lossscaleoptimizer")]
        raise ValueError(
            f"There is no optimizer {shown(optimizer)}. {nearest(optimizer, names)}"
        ) from error


def _functions_of(module: Any) -> list[str]:
    """Return the names of a module that are no classes and no functions to load."""
    return [
        name
        for name, thing in vars(module).items()
        if callable(thing)
        and not isinstance(thing, type)
        and name not in ("get", "serialize", "deserialize")
    ]
