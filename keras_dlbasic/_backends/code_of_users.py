"""The parts of a model that are not Keras'."""

from __future__ import annotations

from typing import Any

import keras

FOREIGN = ("FlaxLayer", "JaxLayer", "Lambda", "TFSMLayer", "TorchModuleWrapper")
"""Layers of Keras that run other code than that of Keras."""


def code_of_users(*given: Any) -> list[Any]:
    """Return what runs other code than that of Keras and this package.

    Only such code can draw from generators of the process, or by a backend's own
    operations: Keras' draws from a `SeedGenerator`, of which the state is a variable.

    Args:
        *given: Models, compiled or not, and other things that a step calls, such as a
            loss.

    Returns:
        Classes of layers, and losses, metrics, optimizers, activations, regularizers
        and constraints, as they were given.
    """
    parts: list[Any] = []
    for one in given:
        parts += _parts(one) if isinstance(one, keras.layers.Layer) else [one]
    return [part for part in parts if _is_of_users(part)]


def _parts(model: Any) -> list[Any]:
    layers = list(model._flatten_layers())
    parts: list[Any] = list(dict.fromkeys(type(layer) for layer in layers))
    parts += [getattr(layer, "activation", None) for layer in layers]
    # what a `Lambda` calls
    parts += [getattr(layer, "function", None) for layer in layers]
    parts += keras.tree.flatten(
        [getattr(model, n, None) for n in ("loss", "optimizer")]
    )
    # a schedule of the user's is given to an optimizer of Keras
    optimizer = getattr(model, "optimizer", None)
    parts.append(getattr(optimizer, "_learning_rate", None))
    # `model.metrics` are Keras' own, with functions of the user's in them
    metrics = getattr(model, "_compile_metrics", None)
    given = [
        getattr(metrics, n, None) for n in ("_user_metrics", "_user_weighted_metrics")
    ]
    parts += keras.tree.flatten([getattr(model, "metrics", None), given])
    for variable in model.variables:
        parts += [variable.regularizer, variable.constraint]
    return parts


def _is_of_users(part: Any) -> bool:
    if part is None or isinstance(part, str):
        return False
    # These classes are in modules of Keras, so the name of the module would not reveal
    # that they run code of the user's.
    if getattr(part, "__name__", None) in FOREIGN and part is getattr(
        keras.layers, part.__name__, None
    ):
        return True
    module = getattr(part, "__module__", None) or type(part).__module__
    return not module.startswith(("keras.", "keras_dlbasic."))
