"""Layers that a model creates, and that none of its methods refers to."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from types import CodeType
from typing import Any

import keras

from keras_dlbasic._keras.graph import all_layers
from keras_dlbasic._keras.layer_kinds import HIDDEN, kind_of
from keras_dlbasic.records.printable import printable

TOLD = (*HIDDEN, "activation", "normalization", "embedding")
"""Kinds that do nothing unless they are called. A pipeline may use other layers of a
model, as those that augment pictures or look words up."""

OF_KERAS = ("_layers", "_operations", "_metrics", "optimizer", "loss")
"""Attributes in which Keras lists what a layer holds."""

FRAMEWORKS = ("keras", "keras_dlbasic", "tensorflow", "torch", "jax", "builtins")
"""Packages whose classes hold no code of a user's."""

MAKING = ("__init__", "build")
"""Methods that create layers."""

BY_NAME = ("getattr", "vars", "__dict__", "layers", "_layers", "_flatten_layers")
"""Names by which code comes to layers without theirs."""


def unused_layers(model: Any) -> list[str]:
    """Return the attributes of a model that are layers no method refers to.

    Only the code of models and layers of the user's own is read, and nothing is run:
    Keras calls the layers of a functional model. A layer that has weights is left out,
    since it was called, or its weights are used without a call.

    Args:
        model: A built model.

    Returns:
        The ways to the layers from the model or layer that holds them. Empty where code
        comes to layers in another way than by their names.

    Example:
    >>> import keras
    >>> from keras_dlbasic._keras.unused_layers import unused_layers
    >>> layers = [keras.layers.Dense(3), keras.layers.ReLU()]
    >>> unused_layers(keras.Sequential([keras.Input((4,)), *layers]))  # Keras' own
    []
    """
    try:
        holders = [layer for layer in all_layers(model) if _is_own(layer)]
        used: set[str] = set()
        for holder in holders:
            used.update(_names_in(type(holder)))
        if used.intersection(BY_NAME):
            return []
        return sorted(
            way for way, name in _candidates(model, holders) if name not in used
        )
    except Exception:  # classes of the user's may be anything
        return []


def uncalled_layers(model: Any) -> list[str]:
    """Return the layers that a `call` names, in a branch that it does not take.

    These have a kernel by their kind, and none was made although the others of the
    layer or model that holds them are built. Nothing is run.

    Args:
        model: A built model.

    Returns:
        The ways to the layers. Empty where most layers of their holder are not built:
        then it was hardly called.

    Example:
    >>> import keras
    >>> from keras_dlbasic._keras.unused_layers import uncalled_layers
    >>> uncalled_layers(keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)]))
    []
    """
    try:
        return sorted(
            way
            for holder in all_layers(model)
            if _is_own(holder) and holder.built
            for way in _uncalled(holder, "" if holder is model else f"{holder.name}.")
        )
    except Exception:  # classes of the user's may be anything
        return []


def _uncalled(holder: Any, start: str) -> list[str]:
    """Return the ways to layers of one holder that its `call` names and skips."""
    code = getattr(inspect.unwrap(type(holder).call), "__code__", None)
    named = set() if code is None else set(_names_of(code))
    held = {**vars(holder), **vars(holder).get("_modules", {})}
    layers = {
        name: value
        for name, value in held.items()
        if name in named
        and isinstance(value, keras.layers.Layer)
        and kind_of(value).kind in HIDDEN
    }
    skipped = [name for name, layer in layers.items() if not layer.built]
    if 2 * len(skipped) > len(layers):
        return []
    return [printable(f"{start}{name}") for name in skipped]


def _is_own(layer: Any) -> bool:
    return type(layer).call.__module__.split(".")[0] not in FRAMEWORKS


def _names_in(kind: type) -> Iterator[str]:
    """Yield the names that methods of a class use, but for those that make layers."""
    for base in kind.__mro__:
        if base.__module__.split(".")[0] in FRAMEWORKS:
            continue
        for name, member in vars(base).items():
            if name in MAKING:
                continue
            function = getattr(member, "fget", None) or getattr(
                member, "__func__", member
            )
            function = getattr(function, "__wrapped__", function)
            code = getattr(function, "__code__", None)
            if code is not None:
                yield from _names_of(code)


def _names_of(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names_of(constant)


def _candidates(model: Any, holders: list[Any]) -> Iterator[tuple[str, str]]:
    """Yield the way to and the name of attributes that are layers without weights."""
    for holder in holders:
        start = "" if holder is model else f"{holder.name}."
        # PyTorch keeps attributes that are layers apart from the others
        held = {**vars(holder), **vars(holder).get("_modules", {})}
        for name, value in held.items():
            parts = value if isinstance(value, (list, tuple)) else [value]
            told = [part for part in parts if isinstance(part, keras.layers.Layer)]
            if name in OF_KERAS or not told:
                continue
            if all(kind_of(part).kind in TOLD and not part.weights for part in told):
                yield printable(f"{start}{name}"), name
