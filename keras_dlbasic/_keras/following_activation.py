"""Which activation a layer's outputs go through."""

from __future__ import annotations

from typing import Any

import keras

from keras_dlbasic._keras.activations import activation_function

_TRANSPARENT = (
    keras.layers.BatchNormalization,
    keras.layers.LayerNormalization,
    keras.layers.GroupNormalization,
    keras.layers.UnitNormalization,
    keras.layers.Dropout,
    keras.layers.GaussianDropout,
    keras.layers.SpatialDropout1D,
    keras.layers.SpatialDropout2D,
    keras.layers.SpatialDropout3D,
    keras.layers.ZeroPadding2D,
    keras.layers.MaxPooling1D,
    keras.layers.MaxPooling2D,
    keras.layers.Reshape,
    keras.layers.Flatten,
)
"""What may stand between a layer and its activation."""


def activations_after(model: Any) -> dict[int, Any]:
    """Return, by `id` of the layer, the activation that its outputs go through.

    Inline, or the first that follows behind normalisation, dropout and the like; a
    layer whose outputs go elsewhere first (into a sum, say) has none.
    """
    consumers = consumers_of(model)
    found: dict[int, Any] = {}
    for layer in model._flatten_layers():
        at: Any = layer
        for _ in range(len(_TRANSPARENT)):
            function = activation_function(at)
            if function is not None:
                found[id(layer)] = function
                break
            after = consumers.get(id(at), [])
            if len(after) != 1:
                break
            at = after[0]
            if activation_function(at) is None and not isinstance(at, _TRANSPARENT):
                break
            if _has_kernel(at):
                break
    return found


def _has_kernel(layer: Any) -> bool:
    return getattr(layer, "kernel", None) is not None


def consumers_of(model: Any) -> dict[int, list[Any]]:
    """Return the operations that take each operation's outputs, where it is known."""
    after: dict[int, list[Any]] = {}
    models = [m for m in model._flatten_layers() if isinstance(m, keras.Model)]
    for part in models:
        if isinstance(part, keras.Sequential):
            for first, second in zip(part.layers, part.layers[1:], strict=False):
                after.setdefault(id(first), []).append(second)
            continue
        for operation in getattr(part, "operations", ()):
            for node in getattr(operation, "_inbound_nodes", ()):
                for parent in node.parent_nodes:
                    users = after.setdefault(id(parent.operation), [])
                    if operation not in users:
                        users.append(operation)
    return after
