"""Which activation a layer's outputs go through."""

from __future__ import annotations

from typing import Any

import keras

from keras_dlbasic._keras.activations import activation_function
from keras_dlbasic._keras.connections import calls_of
from keras_dlbasic._keras.graph import all_layers
from keras_dlbasic._keras.layer_kinds import HIDDEN, core_of, kind_of

MAX_STEPS = 14
"""This many layers are passed at most on the way to an activation."""


def activations_after(model: Any) -> dict[int, Any]:
    """Return, by `id` of the layer, the activation that its outputs go through.

    Inline, or the first that follows behind normalization, dropout and the like; a
    layer whose outputs go elsewhere first (into a sum, say) has none.
    """
    consumers = consumers_of(model)
    found: dict[int, Any] = {}
    for layer in all_layers(model):
        function = _activation_after(layer, consumers)
        if function is not None:
            # the kernel of a wrapped layer is that layer's own
            found.setdefault(id(layer), function)
            found[id(core_of(layer))] = function
    return found


def _activation_after(layer: Any, consumers: dict[int, list[Any]]) -> Any:
    at = layer
    for _ in range(MAX_STEPS):
        function = activation_function(at)
        if function is not None:
            return function
        # Outputs that go several ways may meet several activations: then none is named.
        after = consumers.get(id(at), [])
        if len(after) != 1:
            return None
        at = after[0]
        if activation_function(at) is None and kind_of(at).passes is None:
            return None
        if kind_of(at).kind in HIDDEN or hasattr(core_of(at), "kernel"):
            return None  # an activation behind its kernel is its own
    return None


def normalized_layers(model: Any) -> set[int]:
    """Return the identities of layers whose outputs are normalized right away.

    Between the two may be what keeps units apart, such as dropout, but no activation:
    a normalization behind a unit that saturates comes too late.
    """
    consumers = consumers_of(model)
    found: set[int] = set()
    for layer in all_layers(model):
        at = layer
        for _ in range(MAX_STEPS):
            after = consumers.get(id(at), [])
            if activation_function(at) is not None or len(after) != 1:
                break
            at = after[0]
            if kind_of(at).kind == "normalization":
                found |= {id(layer), id(core_of(layer))}
                break
            if kind_of(at).passes is None:
                break
    return found


def consumers_of(model: Any) -> dict[int, list[Any]]:
    """Return the operations that take each operation's outputs, where it is known."""
    after: dict[int, list[Any]] = {}
    models = [m for m in all_layers(model) if isinstance(m, keras.Model)]
    for part in models:
        if isinstance(part, keras.Sequential):
            for first, second in zip(part.layers, part.layers[1:], strict=False):
                after.setdefault(id(first), []).append(second)
            continue
        for operation in getattr(part, "operations", ()):
            for node in calls_of(operation):
                for parent in node.parent_nodes:
                    users = after.setdefault(id(parent.operation), [])
                    if operation not in users:
                        users.append(operation)
    return after
