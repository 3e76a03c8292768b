"""The remedy that takes units near zero out of a model."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_dlbasic._keras.checks import check_built
from keras_dlbasic._keras.copying import copy_of
from keras_dlbasic._keras.layer_kinds import SIZES
from keras_dlbasic._wrong_arguments import names_nearest
from keras_dlbasic.remedies._registry import remedy
from keras_dlbasic.remedies.unit_paths import (
    UnitPath,
    UnitPaths,
    UnitsStayError,
    has_units,
)


@dataclass(frozen=True)
class _Cut:
    """Units to take out of a layer, and where they went."""

    producer: Any
    paths: list[UnitPath]
    keep: np.ndarray  # one bool per unit


@remedy(judged_by="user")
@names_nearest
def prune_units(model: Any, threshold: float = 1e-2) -> Any:
    """Remove units whose incoming weights are near zero from a model.

    A unit whose kernel is zero outputs a constant, which is added to the biases of the
    next layers. Units of `Dense` and convolution layers can be removed if they only
    lead to other `Dense` or convolution layers. In between there may be branches,
    activations, batch normalization, dropout, pooling, padding or `Flatten`. Units near
    zero that lead to something else (a sum, a concatenation, an output, a shared layer,
    a grouped convolution, a nested model) are kept, and a warning says why. Layers
    inside nested models are not pruned.

    The outputs change by the remaining effect of the removed weights. After padding
    (also that of convolutions) they also change at the borders if the constant is not
    zero.

    Args:
        model: A built Sequential or Functional model.
        threshold: A unit is removed if the L2 norm of its kernel is at most this share
            of the largest norm in its layer. Defaults to `1e-2`: the signal of such a
            unit has at most 1e-4 of the variance of the strongest one. At least one
            unit is kept.

    Returns:
        A smaller model, compiled like `model`, with a new optimizer state.

    Warns:
        UserWarning: If units near zero cannot be removed.

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
            "Units can only be removed from Sequential and Functional models, "
            f"because their connections are known. Received: '{model.name}' of class "
            f"{type(model).__name__}"
        )
    cuts = _find_cuts(model, threshold)
    sizes = {id(cut.producer): int(cut.keep.sum()) for cut in cuts}

    def resized(layer: Any) -> Any:
        config = layer.get_config()
        if id(layer) in sizes:
            config[next(n for n in SIZES if n in config)] = sizes[id(layer)]
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
    paths_of = UnitPaths(model)
    cuts, obstacles = [], []
    for layer in model.layers:
        if not has_units(layer) or paths_of.is_last(layer):
            continue
        # The last axis counts the units, so the norm over all others is that of the
        # weights through which a unit gets its inputs.
        kernel = np.asarray(ops.convert_to_numpy(layer.kernel), np.float64)
        norms = np.sqrt((kernel**2).sum(axis=tuple(range(kernel.ndim - 1))))
        keep = norms > threshold * norms.max()
        if keep.all():
            continue
        try:
            paths = paths_of.of(layer)
        except UnitsStayError as reason:
            obstacles.append(f"{np.sum(~keep)} of '{layer.name}': {reason}")
            continue
        for path in paths:
            if not path.consumer.use_bias:
                keep |= path.constants != 0  # there is no bias to take them
        # A layer needs one unit at least: the one with the largest weights stays.
        if not keep.any():
            keep[np.argmax(norms)] = True
        if not keep.all():
            cuts.append(_Cut(layer, paths, keep))
    if obstacles:
        warnings.warn(
            f"Units near zero stay in model '{model.name}': {'; '.join(obstacles)}.",
            stacklevel=3,
        )
    return cuts


def _apply(cut: _Cut, values: dict[int, list[np.ndarray]]) -> None:
    """Cut the arrays of the layers concerned."""
    keep = cut.keep
    values[id(cut.producer)] = [w[..., keep] for w in values[id(cut.producer)]]
    between = {id(layer) for path in cut.paths for layer in path.between}
    for key in between:  # paths that part later have some in common
        values[key] = [w[keep] if w.shape == keep.shape else w for w in values[key]]
    for path in cut.paths:
        key = id(path.consumer)
        values[key] = _without_inputs(values[key], keep, path.constants)


def _without_inputs(
    weights: list[np.ndarray], keep: np.ndarray, constants: np.ndarray
) -> list[np.ndarray]:
    """Return kernel and bias of a layer that no longer gets some of its inputs."""
    kernel, *bias = weights
    positions = kernel.shape[-2] // len(keep)  # more than one behind `Flatten`
    # What the units gave without their inputs is a constant. The kernel carries it on,
    # and the bias takes it over.
    if bias:
        window = tuple(range(kernel.ndim - 2))
        lost = np.tile(np.where(keep, 0.0, constants), positions)
        moved = lost @ kernel.astype(np.float64).sum(axis=window)
        bias = [(bias[0] + moved).astype(bias[0].dtype)]
    return [kernel[..., np.tile(keep, positions), :], *bias]
