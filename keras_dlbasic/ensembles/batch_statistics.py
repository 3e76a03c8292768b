"""The statistics of batch normalization, computed anew for weights as they are."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from keras_dlbasic._backends.generators import generators_kept
from keras_dlbasic._backends.intercept import replaced
from keras_dlbasic._data.read import read
from keras_dlbasic._keras.graph import all_layers
from keras_dlbasic._keras.intercepted import intercepted
from keras_dlbasic._keras.layer_kinds import class_kind
from keras_dlbasic._wrong_arguments import names_nearest

TOLERANCE = 1e-5
"""Relative change of the statistics from pass to pass that float32 arithmetic makes."""


def batch_normalizations(model: Any) -> list[Any]:
    """Return the layers whose moving statistics follow the batches."""
    return [
        layer
        for layer in all_layers(model)
        if class_kind(type(layer)).state == "averages" and layer.trainable
    ]


@dataclass
class _Moments:
    """Mean and variance of all values so far, per channel, and their number."""

    count: float = 0.0
    mean: Any = 0.0
    variance: Any = 0.0

    def add(self, count: float, mean: np.ndarray, variance: np.ndarray) -> None:
        total = self.count + count
        share = count / total
        # The variance of all values is the mean of the variances within the batches,
        # plus the variance of their means: without that, batches that differ (rows in
        # order) would give too small a variance.
        apart = share * (1 - share) * (mean - self.mean) ** 2
        self.variance = (1 - share) * self.variance + share * variance + apart
        self.mean = self.mean + share * (mean - self.mean)
        self.count = total


@names_nearest
def recompute_statistics(model: Any, x: Any, *, batch_size: int = 256) -> None:
    """Set the moving statistics of batch normalization to those over all rows of `x`.

    The means and variances are exact: they are those of one batch with all rows,
    whatever the order of the rows and the batch size. Each layer depends on those
    before it, so `x` is passed through the model repeatedly until nothing changes. That
    takes three or four passes as a rule, and at most one more than there are such
    layers. The model runs in inference mode: dropout is off, and no random number is
    drawn.

    Args:
        model: A built model.
        x: Inputs: an array, tensor, data frame, list or a structure of these; or a data
            set, which is read completely.
        batch_size: Number of rows per batch.

    Raises:
        ValueError: If `x` is none of these or does not fit the model.

    Example:
    >>> import keras, numpy as np
    >>> import keras_dlbasic as kd
    >>> norm = keras.layers.BatchNormalization()
    >>> model = keras.Sequential([keras.Input((1,)), norm])
    >>> kd.ensembles.recompute_statistics(model, np.array([[1.0], [5.0]]))
    >>> float(keras.ops.convert_to_numpy(norm.moving_mean)[0])
    3.0

    Reference:
        Izmailov et al. (2018), section 3.2. They make one pass and average the
        statistics of its batches.
    """
    layers, data = batch_normalizations(model), read(x, model=model)
    x, order = data.x, np.random.default_rng(0).permutation(data.n_rows)
    with generators_kept(model):
        # The first pass normalizes by the batches, drawn from all rows. That is close
        # to the end, and independent of the statistics that the layers have now.
        _pass_through(model, layers, x, order, batch_size, by_batch=True)
        for _ in layers:
            if not _pass_through(model, layers, x, order, batch_size, by_batch=False):
                break


def _pass_through(
    model: Any,
    layers: list[Any],
    x: Any,
    order: np.ndarray,
    batch_size: int,
    *,
    by_batch: bool,
) -> bool:
    """Measure all layers in one pass, set what was measured, return if it changed."""
    found = [_Moments() for _ in layers]
    with ExitStack() as stack:
        for layer, moments in zip(layers, found, strict=True):
            stack.enter_context(replaced(layer, "momentum", 0.0))
            measure = _measured_by(layer, moments, by_batch=by_batch)
            stack.enter_context(intercepted(layer, measure))
        for begin in range(0, len(order), batch_size):
            rows = np.sort(order[begin : begin + batch_size])
            batch = keras.tree.map_structure(
                lambda leaf, at=rows: np.asarray(leaf)[at], x
            )
            model(batch, training=False)
    changes = [
        _set(layer, moments)
        for layer, moments in zip(layers, found, strict=True)
        if moments.count
    ]
    return any(changes)


def _measured_by(layer: Any, moments: _Moments, *, by_batch: bool) -> Any:
    def measured(call: Any, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        mask = kwargs.get("mask")
        kept = [np.array(_array(v)) for v in layer.non_trainable_variables]
        # With a momentum of 0 the layer writes down the statistics of this batch, by
        # its own code: with masks, for any axis and for any dtype.
        outputs = call(inputs, training=True, mask=mask)
        moments.add(
            _n_values(layer, inputs, mask),
            _array(layer.moving_mean),
            _array(layer.moving_variance),
        )
        for variable, value in zip(layer.non_trainable_variables, kept, strict=True):
            variable.assign(value)
        return outputs if by_batch else call(inputs, training=False, mask=mask)

    return measured


def _n_values(layer: Any, inputs: Any, mask: Any) -> float:
    """Return how many values of each channel the batch has."""
    if mask is not None:
        return float(keras.ops.convert_to_numpy(mask).sum())
    return float(np.prod(inputs.shape) / inputs.shape[layer.axis])


def _set(layer: Any, moments: _Moments) -> bool:
    before = _array(layer.moving_mean), _array(layer.moving_variance)
    layer.moving_mean.assign(moments.mean)
    layer.moving_variance.assign(moments.variance)
    if getattr(layer, "renorm", False):
        layer.moving_stddev.assign(np.sqrt(moments.variance))
    size = moments.variance + layer.epsilon
    moved = np.abs(moments.mean - before[0]) / np.sqrt(size)
    changed = np.abs(moments.variance - before[1]) / size
    return bool(max(moved.max(), changed.max()) > TOLERANCE)


def _array(variable: Any) -> np.ndarray:
    return np.asarray(keras.ops.convert_to_numpy(variable.value), np.float64)
