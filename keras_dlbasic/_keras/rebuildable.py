"""Whether a model can be rebuilt with changes, told without building anything."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

import keras

from keras_dlbasic._keras.outputs import check_known


def why_not_rebuilt(model: Any) -> str | None:
    """Return why `rebuild` cannot remake a model, in words; None if nothing is known.

    Nothing is built: new layers would take names and seeds from Keras, and the layers
    that the user makes next would then get others.

    Args:
        model: A built model.

    Example:
    >>> import keras
    >>> from keras_dlbasic._keras.rebuildable import why_not_rebuilt
    >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
    >>> why_not_rebuilt(model) is None
    True
    """
    try:
        check_known(model)
    except ValueError:
        return f"its class {type(model).__name__} has a `call` or `train_step` of yours"
    for layer in _layers_of_users(model):
        if not _takes_its_config(layer):
            return (
                f"layer '{layer.name}' of class {type(layer).__name__} cannot be made "
                "from its `get_config`"
            )
    optimizer = getattr(model, "optimizer", None)
    if _is_of_users(optimizer) and not _takes_its_config(optimizer):
        name = type(optimizer).__name__
        return f"its optimizer {name} cannot be made from its `get_config`"
    return None


def _layers_of_users(model: Any) -> Iterator[Any]:
    for layer in getattr(model, "operations", model.layers):
        if isinstance(layer, keras.Model):
            yield from _layers_of_users(layer)
        elif _is_of_users(layer):
            yield layer


def _is_of_users(part: Any) -> bool:
    known = ("keras.", "keras_dlbasic.", "builtins")
    return not type(part).__module__.startswith(known)


def _takes_its_config(part: Any) -> bool:
    """Return whether its class can be called with its configuration."""
    try:
        config = part.get_config()
        is_plain = type(part).from_config.__func__ in _PLAIN
        if is_plain:
            inspect.signature(type(part)).bind(**config)
    except Exception:  # code of the user's: whatever it raises, a remedy fails as well
        return False
    return True


_PLAIN = (
    keras.layers.Layer.from_config.__func__,
    keras.optimizers.Optimizer.from_config.__func__,
)
"""Methods that call the class with the configuration."""
