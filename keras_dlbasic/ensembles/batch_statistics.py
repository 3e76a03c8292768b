"""The statistics of batch normalization, computed anew for weights as they are."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

import keras
import numpy as np

from keras_dlbasic._backends.generators import generators_kept
from keras_dlbasic._backends.intercept import replaced
from keras_dlbasic._keras.graph import all_layers
from keras_dlbasic._keras.intercepted import intercepted
from keras_dlbasic._keras.layer_kinds import class_kind


def batch_normalizations(model: Any) -> list[Any]:
    """Return the layers whose moving statistics follow the batches."""
    return [
        layer
        for layer in all_layers(model)
        if class_kind(type(layer)).state == "averages" and layer.trainable
    ]


def recompute_statistics(model: Any, x: Any, *, batch_size: int = 256) -> None:
    """Set the moving statistics to the mean of those of the batches of `x`.

    Batch normalization runs as in training and everything else as in inference, so
    that nothing is dropped and no random number is drawn.

    Args:
        model: A built model.
        x: Inputs: an array or a structure of arrays.
        batch_size: Rows at once. Means over batches are weighted by their rows.

    Example:
    >>> import keras, numpy as np
    >>> import keras_dlbasic as kd
    >>> norm = keras.layers.BatchNormalization()
    >>> model = keras.Sequential([keras.Input((1,)), norm])
    >>> kd.ensembles.recompute_statistics(model, np.array([[1.0], [5.0]]))
    >>> float(keras.ops.convert_to_numpy(norm.moving_mean)[0])
    3.0

    Reference:
        Izmailov et al. (2018), section 3.2.
    """
    layers = batch_normalizations(model)
    rows = len(keras.tree.flatten(x)[0])
    with generators_kept(model), ExitStack() as stack:
        for layer in layers:
            stack.enter_context(intercepted(layer, _in_training))
            stack.enter_context(replaced(layer, "momentum", layer.momentum))
        for begin in range(0, rows, batch_size):
            end = min(begin + batch_size, rows)
            for layer in layers:
                # the mean so far keeps the share of the rows it is of
                vars(layer)["momentum"] = begin / end
            batch = keras.tree.map_structure(
                lambda leaf, at=slice(begin, end): np.asarray(leaf)[at], x
            )
            model(batch, training=False)


def _in_training(call: Any, inputs: Any, *args: Any, **kwargs: Any) -> Any:
    mask = kwargs.get("mask")
    return call(inputs, training=True, mask=mask)
