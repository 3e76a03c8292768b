"""Whether a model runs code that is not Keras'."""

from __future__ import annotations

from typing import Any

import keras


def has_code_of_users(model: Any) -> bool:
    """Tell whether other code than that of Keras and this package runs in a step.

    Only such code can draw from generators of the process, or by a backend's own
    operations: Keras' draws from a `SeedGenerator`, of which the state is a variable.

    Args:
        model: A Keras model, compiled or not.
    """
    parts: list[Any] = [type(layer) for layer in model._flatten_layers()]
    parts += [getattr(layer, "activation", None) for layer in model._flatten_layers()]
    given = [getattr(model, name, None) for name in ("loss", "metrics", "optimizer")]
    parts += keras.tree.flatten(given)
    for variable in model.variables:
        parts += [variable.regularizer, variable.constraint]
    return any(_is_of_users(part) for part in parts)


def _is_of_users(part: Any) -> bool:
    if part is None or isinstance(part, str):
        return False
    if part is keras.layers.Lambda:
        return True
    module = getattr(part, "__module__", None) or type(part).__module__
    return not module.startswith(("keras.", "keras_dlbasic."))
