"""The remedy that takes units near zero out of a model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_dlbasic.analysis.activation_table import ACTIVATIONS
from keras_dlbasic.remedies.copied import copy_of
from keras_dlbasic.signals.following_activation import consumers_of
from keras_dlbasic.signals.probe import (
    activation_function,
    activation_name,
    check_built,
)

_PRODUCERS = (
    keras.layers.Dense,
    keras.layers.Conv1D,
    keras.layers.Conv2D,
    keras.layers.Conv3D,
)
_ELEMENTWISE = (
    keras.layers.Activation,
    keras.layers.ReLU,
    keras.layers.LeakyReLU,
    keras.layers.ELU,
)
_IDENTITIES = (
    keras.layers.Dropout,
    keras.layers.GaussianDropout,
    keras.layers.SpatialDropout1D,
    keras.layers.SpatialDropout2D,
    keras.layers.MaxPooling1D,
    keras.layers.MaxPooling2D,
    keras.layers.AveragePooling1D,
    keras.layers.AveragePooling2D,
    keras.layers.GlobalAveragePooling1D,
    keras.layers.GlobalAveragePooling2D,
    keras.layers.GlobalMaxPooling1D,
    keras.layers.GlobalMaxPooling2D,
    keras.layers.Flatten,
)


@dataclass(frozen=True)
class _Cut:
    """Units to take out of a layer, and the layers that feel it."""

    producer: Any
    between: tuple[Any, ...]
    consumer: Any
    keep: np.ndarray  # one bool per unit
    constants: np.ndarray  # what each unit sends on if its kernel is zero


def prune_units(model: Any, threshold: float = 1e-2) -> Any:
    """Take units whose incoming weights are near zero out of a model.

    A unit whose kernel is zero gives a constant, which moves into the bias of the layer
    behind it. Units of `Dense` and convolution layers are looked at whose outputs go
    through activations, batch normalisation, dropout, pooling or `Flatten` to exactly
    one further `Dense` or convolution layer. Layers that feed a sum, a branch or an
    output, shared layers, grouped convolutions and nested models stay as they are.

    The result differs from the model by what the removed weights still did, and, behind
    padded convolutions, at the borders if the constant is not zero.

    Args:
        model: A built Sequential or Functional model.
        threshold: A unit goes if the L2 norm of its kernel is at most this share of the
            largest in its layer. Defaults to `1e-2`: such a unit's signal has at most
            1e-4 of the variance of the strongest. At least one unit stays.

    Returns:
        A smaller model, compiled like `model`; its optimizer starts anew.

    Raises:
        ValueError: If the model is not built or is neither Sequential nor Functional,
            or `threshold` is not from 0 to 1.

    Example:
    >>> import keras, numpy as np
    >>> import keras_dlbasic as kd
    >>> model = keras.Sequential(
    ...     [keras.Input((4,)), keras.layers.Dense(3, "relu"), keras.layers.Dense(1)]
    ... )
    >>> kernel = model.layers[0].kernel
    >>> kernel.assign(np.array(kernel) * [1, 0, 1])  # doctest: +SKIP
    >>> kd.remedies.prune_units(model).layers[0].units  # doctest: +SKIP
    2
    """
    check_built(model)
    if not 0 <= threshold < 1:
        raise ValueError(
            "`threshold` is a share of the largest norm, from 0 to below 1. "
            f"Received: threshold={threshold!r}"
        )
    if not isinstance(model, keras.Sequential) and not hasattr(model, "operations"):
        raise ValueError(
            "Units can be taken out of Sequential and Functional models only, whose "
            "connections are known. Received: "
            f"'{model.name}' of class {type(model).__name__}"
        )
    cuts = _find_cuts(model, threshold)
    sizes = {id(cut.producer): int(cut.keep.sum()) for cut in cuts}

    def resized(layer: Any) -> Any:
        config = layer.get_config()
        if id(layer) in sizes:
            name = "units" if isinstance(layer, keras.layers.Dense) else "filters"
            config[name] = sizes[id(layer)]
        return type(layer).from_config(config)

    new = copy_of(model, clone_function=resized)
    values = {
        id(layer): [np.asarray(ops.convert_to_numpy(w)) for w in layer.weights]
        for layer in model.layers
    }
    for cut in cuts:
        _apply(cut, values)
    for old, fresh in zip(model.layers, new.layers, strict=True):
        for variable, value in zip(fresh.weights, values[id(old)], strict=True):
            variable.assign(value)
    return new


def _find_cuts(model: Any, threshold: float) -> list[_Cut]:
    consumers = consumers_of(model)
    outputs = {id(tensor._keras_history.operation) for tensor in model.outputs}
    cuts = []
    for layer in model.layers:
        if not _can_shrink(layer):
            continue
        between, consumer = _way_on(layer, consumers, outputs)
        if consumer is None:
            continue
        kernel = np.asarray(ops.convert_to_numpy(layer.kernel), np.float64)
        norms = np.sqrt((kernel**2).sum(axis=tuple(range(kernel.ndim - 1))))
        keep = norms > threshold * norms.max()
        constants = _constants(layer, between)
        if not consumer.use_bias:
            keep |= constants != 0  # there is no bias to take them
        if not keep.any():
            keep[np.argmax(norms)] = True
        if not keep.all():
            cuts.append(_Cut(layer, between, consumer, keep, constants))
    return cuts


def _can_shrink(layer: Any) -> bool:
    if not isinstance(layer, _PRODUCERS) or not _is_simple(layer):
        return False
    name = activation_name(layer)
    return name is None or (name in ACTIVATIONS and ACTIVATIONS[name].slope is not None)


def _is_simple(layer: Any) -> bool:
    first = getattr(layer, "data_format", "channels_last") == "channels_first"
    shared = len(getattr(layer, "_inbound_nodes", ())) > 1
    return not first and not shared and getattr(layer, "groups", 1) == 1


def _way_on(
    layer: Any, consumers: dict[int, list[Any]], outputs: set[int]
) -> tuple[tuple[Any, ...], Any]:
    """Follow a layer's outputs to the one kernel that takes them, if there is one."""
    between: list[Any] = []
    at = layer
    while True:
        after = consumers.get(id(at), [])
        if len(after) != 1 or id(at) in outputs:
            return (), None
        at = after[0]
        if isinstance(at, _PRODUCERS):
            return (tuple(between), at) if _is_simple(at) else ((), None)
        if not _lets_units_pass(at):
            return (), None
        between.append(at)


def _lets_units_pass(layer: Any) -> bool:
    if not isinstance(layer, keras.layers.Layer) or not _is_simple(layer):
        return False
    if isinstance(layer, keras.layers.BatchNormalization):
        return layer.axis in (-1, len(layer.input.shape) - 1)
    if isinstance(layer, _ELEMENTWISE):
        name = activation_name(layer)
        return name is None or (
            name in ACTIVATIONS and ACTIVATIONS[name].slope is not None
        )
    return isinstance(layer, _IDENTITIES)


def _constants(layer: Any, between: tuple[Any, ...]) -> np.ndarray:
    """Return what each unit would give behind `between` if its kernel were zero."""
    if layer.use_bias:
        values = np.asarray(ops.convert_to_numpy(layer.bias), np.float32)
    else:
        values = np.zeros(layer.kernel.shape[-1], np.float32)
    for at in (layer, *between):
        if isinstance(at, keras.layers.BatchNormalization):
            mean, variance = (
                ops.convert_to_numpy(v) for v in (at.moving_mean, at.moving_variance)
            )
            values = (values - mean) / np.sqrt(variance + at.epsilon)
            values = values * (ops.convert_to_numpy(at.gamma) if at.scale else 1)
            values = values + (ops.convert_to_numpy(at.beta) if at.center else 0)
        else:
            function = activation_function(at)
            if function is not None:
                if isinstance(function, str):
                    function = keras.activations.get(function)
                tensor = ops.convert_to_tensor(values.astype("float32"))
                values = np.asarray(ops.convert_to_numpy(function(tensor)))
    return np.asarray(values, np.float64)


def _apply(cut: _Cut, values: dict[int, list[np.ndarray]]) -> None:
    """Cut the arrays of the layers concerned."""
    keep = cut.keep
    values[id(cut.producer)] = [w[..., keep] for w in values[id(cut.producer)]]
    for layer in cut.between:
        values[id(layer)] = [
            w[keep] if w.shape == keep.shape else w for w in values[id(layer)]
        ]
    kernel, *bias = values[id(cut.consumer)]
    positions = kernel.shape[-2] // len(keep)  # more than one behind `Flatten`
    rows = np.tile(keep, positions)
    constants = np.tile(np.where(keep, 0.0, cut.constants), positions)
    if bias:
        window = tuple(range(kernel.ndim - 2))
        moved = constants @ kernel.astype(np.float64).sum(axis=window)
        bias = [(bias[0] + moved).astype(bias[0].dtype)]
    values[id(cut.consumer)] = [kernel[..., rows, :], *bias]
