"""Layers that a model uses, and that Keras does not find."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from functools import partial
from typing import Any

import keras

from keras_dlbasic._keras.graph import all_layers
from keras_dlbasic._keras.intercepted import all_intercepted
from keras_dlbasic._keras.outputs import trace_outputs
from keras_dlbasic.records.printable import printable

MAX_OBJECTS, MAX_ITEMS, MAX_DEPTH = 2000, 200, 4

CLOSED = (
    "builtins",
    "jax",
    "jaxlib",
    "keras",
    "keras_dlbasic",
    "numpy",
    "tensorflow",
    "torch",
    "types",
    "weakref",
)
"""Packages whose objects hold no layers of a user's."""

NOT_OF_THE_MODEL = (
    keras.callbacks.Callback,
    keras.losses.Loss,
    keras.metrics.Metric,
    keras.optimizers.Optimizer,
)
"""What holds models to compare with, and is not trained."""


def untracked_layers(model: Any) -> list[str]:
    """Return where layers are that have weights to train and are not the model's.

    Keras finds layers in the attributes of a layer, and in lists, dictionaries and
    tuples there. In an object of another class, or in a function that a `Lambda` calls,
    it finds none: they compute, but are neither trained nor saved. A layer that is kept
    so on purpose and that the model calls is found as well, unless `trainable` is
    False.

    Args:
        model: A built model.

    Returns:
        The ways to them as text, from the model or the layer that holds them.

    Example:
    >>> import keras
    >>> from keras_dlbasic._keras.untracked_layers import untracked_layers
    >>> dense = keras.layers.Dense(3, name="dense")
    >>> inputs = keras.Input((4,))
    >>> outputs = keras.layers.Lambda(lambda x: dense(x), name="by_hand")(inputs)
    >>> untracked_layers(keras.Model(inputs, outputs))
    ["by_hand: 'dense'"]
    """
    try:
        found = _found(model)
        return sorted(_called(model, found)) if found else []
    except Exception:  # attributes of a user's may be anything
        return []


def _called(model: Any, layers: dict[str, Any]) -> set[str]:
    """Return the ways to the layers that the model calls: a teacher is not called."""
    called: set[str] = set()

    def note(path: str, call: Any, /, *args: Any, **kwargs: Any) -> Any:
        called.add(path)
        return call(*args, **kwargs)

    with all_intercepted(layers, note):
        trace_outputs(model)
    return called


def _found(model: Any) -> dict[str, Any]:
    layers = all_layers(model)
    search = _Search({id(w) for w in model.weights}, {id(layer) for layer in layers})
    of_keras = vars(keras.layers.Layer(name="plain"))
    for layer in layers:
        start = "" if layer is model else f"{layer.name}: "
        if isinstance(layer, keras.layers.Lambda):
            search.enter(layer.function, start, 0)
        elif not _is_closed(layer):
            for name, value in list(vars(layer).items()):
                if name not in of_keras and name not in ("loss", "optimizer"):
                    search.enter(value, f"{start}{name}", 0)
    return search.found


class _Search:
    """A walk through objects, each of which is met once.

    Args:
        weights: Identities of the weights that are known.
        layers: Identities of the layers that are known.
    """

    def __init__(self, weights: set[int], layers: set[int]) -> None:
        self.found: dict[str, Any] = {}
        self._weights = weights
        self._met = set(layers)

    def enter(self, value: Any, path: str, depth: int) -> None:
        """Look for layers in a value.

        Args:
            value: What to look into.
            path: The way to it.
            depth: Number of objects on the way to it.
        """
        if depth > MAX_DEPTH or len(self._met) > MAX_OBJECTS or id(value) in self._met:
            return
        self._met.add(id(value))
        kind = type(value)
        if issubclass(kind, NOT_OF_THE_MODEL):
            return
        if issubclass(kind, keras.layers.Layer):
            own = [id(w) for w in value.trainable_variables]
            if own and not self._weights.intersection(own):
                name = repr(value.name) if path.endswith(" ") else ""
                self.found[printable(path + name)] = value
            return
        for step, inner in _inner(value):
            self.enter(inner, f"{path}{step}", depth + 1)


def _inner(value: Any) -> Iterator[tuple[str, Any]]:
    """Yield what an object holds, each with the last step of the way to it."""
    if isinstance(value, dict):
        items = list(value.items())[:MAX_ITEMS]
        known = [(k, item) for k, item in items if isinstance(k, (int, str))]
        yield from ((f"[{key!r}]", item) for key, item in known)
    elif isinstance(value, (list, tuple, set)):
        items = list(value)[:MAX_ITEMS]
        yield from ((f"[{place}]", item) for place, item in enumerate(items))
    elif inspect.isfunction(value):
        for cell in value.__closure__ or ():
            try:
                yield "", cell.cell_contents
            except ValueError:  # a name that has no value yet
                continue
        for name in value.__code__.co_names:
            named = value.__globals__.get(name)
            if not inspect.ismodule(named) and not inspect.isclass(named):
                yield "", named
    elif inspect.ismethod(value):
        yield "", value.__self__
    elif isinstance(value, partial):
        yield from (("", part) for part in (value.func, value.args, value.keywords))
    elif not _is_closed(value):
        try:
            held = object.__getattribute__(value, "__dict__")
        except AttributeError:
            return
        yield from ((f".{name}", inner) for name, inner in list(held.items()))


def _is_closed(value: Any) -> bool:
    """Return whether an object holds no layers of a user's, by its package."""
    return type(value).__module__.split(".")[0] in CLOSED
