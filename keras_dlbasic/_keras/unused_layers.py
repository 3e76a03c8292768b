"""Layers that a model has, and that its `call` leaves out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import keras

from keras_dlbasic._keras.graph import all_layers
from keras_dlbasic._keras.intercepted import all_intercepted
from keras_dlbasic._keras.layer_kinds import HIDDEN, kind_of
from keras_dlbasic._keras.outputs import trace_outputs
from keras_dlbasic.records.printable import printable

TOLD = (*HIDDEN, "activation", "normalization", "embedding")
"""Kinds that do nothing but in `call`. A pipeline may use other layers of a model, as
those that augment pictures or look words up."""


OF_KERAS = ("_layers", "_operations", "_metrics", "optimizer", "loss")
"""Attributes in which Keras lists what a layer holds."""


def unused_layers(model: Any, x: Any = None) -> list[str]:
    """Return the attributes of a model that are layers it never calls.

    Only layers in models and layers of the user's own are meant: Keras calls those of a
    functional model. A layer that has weights is left out, since they may be used
    without a call, as by an output that shares the weights of an embedding.

    Args:
        model: A built model. One with a `train_step` or `compute_loss` of its own may
            call its layers there, so nothing is said of it.
        x: A batch of inputs. Defaults to None: zeros, of the shapes that the model was
            built for.

    Returns:
        The ways to the layers from the model or layer that holds them.

    Example:
    >>> import keras
    >>> from keras_dlbasic._keras.unused_layers import unused_layers
    >>> class Net(keras.Model):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.dense = keras.layers.Dense(3)
    ...         self.relu = keras.layers.ReLU()
    ...
    ...     def call(self, x):
    ...         return self.dense(x)
    >>> model = Net()
    >>> _ = model(keras.ops.zeros((1, 4)))
    >>> unused_layers(model)
    ['relu']
    """
    try:
        if _has_own_step(model):
            return []
        candidates = dict(_candidates(model))
        if not candidates:
            return []
        called = _called(model, x)
        return sorted(
            way
            for way, layer in candidates.items()
            if called and not called.intersection(map(id, all_layers(layer)))
        )
    except Exception:  # `call` of a user's may do anything
        return []


def _has_own_step(model: Any) -> bool:
    names = ("train_step", "compute_loss")
    return any(
        getattr(type(model), name) is not getattr(keras.Model, name) for name in names
    )


def _candidates(model: Any) -> Iterator[tuple[str, Any]]:
    """Yield attributes that are layers without weights, of a kind that has to run."""
    for holder in all_layers(model):
        if type(holder).call.__module__.split(".")[0] == "keras":
            continue
        start = "" if holder is model else f"{holder.name}."
        # PyTorch keeps attributes that are layers apart from the others
        held = {**vars(holder), **vars(holder).get("_modules", {})}
        for name, value in held.items():
            if name in OF_KERAS:
                continue
            is_list = isinstance(value, (list, tuple))
            parts = enumerate(value) if is_list else [(None, value)]
            for place, part in parts:
                is_layer = isinstance(part, keras.layers.Layer)
                if is_layer and kind_of(part).kind in TOLD and not part.weights:
                    index = "" if place is None else f"[{place}]"
                    yield printable(f"{start}{name}{index}"), part


def _called(model: Any, x: Any) -> set[int]:
    """Return the `id`s of the layers that run in training or in inference."""
    called: set[int] = set()
    layers = {str(id(layer)): layer for layer in all_layers(model)}
    layers.pop(str(id(model)), None)

    def note(name: str, call: Any, /, *args: Any, **kwargs: Any) -> Any:
        called.add(int(name))
        return call(*args, **kwargs)

    with all_intercepted(layers, note):
        for training in (False, True):
            trace_outputs(model, x, training=training)
    return called
