"""Whether a model can be rebuilt with changes, told without building anything."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import keras

from keras_dlbasic._keras.outputs import check_known


def why_not_rebuilt(model: Any) -> str | None:
    """Return why `rebuild` cannot remake a model; None if no reason is known.

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
        return f"its class {type(model).__name__} has a custom `call` or `train_step`"
    for layer in _layers(model):
        known = not _is_of_users(layer) or _takes_its_config(layer)
        if not known or _has_unknown_function(layer):
            return (
                f"layer '{layer.name}' of class {type(layer).__name__} cannot be made "
                "from its `get_config`"
            )
    optimizer = getattr(model, "optimizer", None)
    if _is_of_users(optimizer) and not _takes_its_config(optimizer):
        name = type(optimizer).__name__
        return f"its optimizer {name} cannot be made from its `get_config`"
    return None


def _layers(model: Any) -> Iterator[Any]:
    for layer in getattr(model, "operations", model.layers):
        if isinstance(layer, keras.Model):
            yield from _layers(layer)
        elif isinstance(layer, keras.layers.Layer):
            yield layer


def _has_unknown_function(layer: Any) -> bool:
    """Return whether a layer has a function of the user's that Keras cannot find.

    So it is with a lambda, and with an activation or initializer that is not
    registered.
    """
    # Keras imports TensorFlow to serialize a part, whatever the backend: seconds, and
    # hundreds of megabytes. A layer that has parts of Keras' alone need not be.
    if not _is_of_users(layer) and not _has_foreign_parts(vars(layer).values(), set()):
        return False
    try:
        parts = list(_serialized(layer.get_config()))
    except Exception:  # code of the user's: a remedy fails as well
        return True
    return any(
        part["class_name"] == "__lambda__"
        or (
            part["class_name"] == "function"
            and keras.saving.get_registered_object(part.get("config")) is None
        )
        for part in parts
    )


def _has_foreign_parts(values: Iterable[Any], met: set[int]) -> bool:
    """Return whether something may not be Keras' own, at any depth.

    Args:
        values: What to look into.
        met: Identities of what was looked into; more are added.
    """
    for value in values:
        if id(value) in met:
            continue
        met.add(id(value))
        if isinstance(value, Mapping):
            inner: Iterable[Any] = value.values()
        elif isinstance(value, (list, tuple, set)):
            inner = value
        elif isinstance(value, _WITH_PARTS) and not _is_of_users(value):
            inner = vars(value).values()
        else:
            kind = value if callable(value) else type(value)
            if (getattr(kind, "__module__", None) or "").split(".")[0] not in _KNOWN:
                return True
            continue
        if _has_foreign_parts(inner, met):
            return True
    return False


_WITH_PARTS = (
    keras.layers.Layer,
    keras.initializers.Initializer,
    keras.regularizers.Regularizer,
    keras.constraints.Constraint,
)

_KNOWN = (
    "keras",
    "keras_dlbasic",
    "builtins",
    "inspect",
    "numpy",
    "jax",
    "tensorflow",
    "torch",
)
"""Modules of what layers keep besides code of a user's."""


def _serialized(config: Any) -> Iterator[dict[str, Any]]:
    """Yield what is serialized in a configuration, at all depths."""
    if isinstance(config, dict):
        if isinstance(config.get("class_name"), str):
            yield config
        config = list(config.values())
    if isinstance(config, (list, tuple)):
        for part in config:
            yield from _serialized(part)


def _is_of_users(part: Any) -> bool:
    known = ("keras.", "keras_dlbasic.", "builtins")
    return not type(part).__module__.startswith(known)


def _takes_its_config(part: Any) -> bool:
    """Return whether its class can be called with its configuration."""
    try:
        config = part.get_config()
        # Keras' own `from_config` calls the class with the whole configuration. Binding
        # it to the signature finds missing arguments without making a layer.
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
