"""A model run as `evaluate` runs it, with the statistics that it has gathered."""

from __future__ import annotations

import math
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_dlbasic._backends.run_apart import run_apart
from keras_dlbasic._backends.run_each import run_each
from keras_dlbasic._backends.without_gradients import without_gradients
from keras_dlbasic._keras.intercepted import all_intercepted
from keras_dlbasic._keras.layer_kinds import kind_of
from keras_dlbasic.propagation.probe import probe_layers
from keras_dlbasic.records.probe_facts import DriftFacts

SMALLEST = 1e-12
"""Variances below count as this, so that a constant channel has a finite ratio."""


def predictions_of(model: Any, x: Any) -> Any:
    """Return what a model predicts for some rows.

    Its state and the generators stay as they are.

    Args:
        model: A built model.
        x: Inputs of the rows.
    """

    def run() -> Any:
        with without_gradients(), keras.StatelessScope():
            return model(x, training=False)

    def run_compiled() -> Any:
        # one function on JAX, where each operation would be one by itself
        try:
            return run_each(lambda model, x: model(x, training=False), model, {"": x})[
                ""
            ]
        except Exception:  # what cannot be traced
            return run()

    return run_apart(model, run_compiled)


def output_of(model: Any, x: Any) -> np.ndarray | None:
    """Return what a model with one output predicts for some rows, as numbers.

    Args:
        model: A built model.
        x: Inputs of the rows.

    Returns:
        None for a model with several outputs.
    """
    outputs = keras.tree.flatten(predictions_of(model, x))
    if len(outputs) != 1:
        return None
    return np.asarray(ops.convert_to_numpy(outputs[0]), np.float64)


def run_inference(
    model: Any, x: Any
) -> tuple[list[Any], tuple[DriftFacts, ...]] | None:
    """Run a model with the moving statistics of its batch normalization.

    The state of the model and the generators stay as they are.

    Args:
        model: A built model.
        x: Inputs of some rows.

    Returns:
        The outputs in the order of `keras.tree.flatten`, and how far the statistics of
        each layer are from those of what it was given. None for a model that has no
        batch normalization: then inference is what `run_probe` runs.
    """
    layers = {
        probe.label: probe.layer
        for probe in probe_layers(model)
        if kind_of(probe.layer).state == "averages"
    }
    if not layers:
        return None
    labels: list[str] = []  # in the order in which the layers ran

    def run(model: Any, x: Any) -> Any:
        given: dict[str, Any] = {}

        def note(label: str, call: Any, /, inputs: Any, *args: Any, **more: Any) -> Any:
            given.setdefault(label, inputs)  # a layer may be called several times
            return call(inputs, *args, **more)

        with all_intercepted(layers, note):
            outputs = keras.tree.flatten(model(x, training=False))
        labels[:] = given
        return outputs, [_moments(layers[name], one) for name, one in given.items()]

    found = run_apart(model, lambda: run_each(run, model, {"rows": x}))
    outputs, moments = found["rows"]
    pairs = zip(labels, moments, strict=True)
    return outputs, tuple(_drift(label, layers[label], *own) for label, own in pairs)


def _moments(layer: Any, tensor: Any) -> tuple[Any, Any]:
    """Return mean and variance of each channel, computed where the tensor is."""
    channel = layer.axis % len(tensor.shape)
    axes = [axis for axis in range(len(tensor.shape)) if axis != channel]
    tensor = ops.cast(tensor, "float32")
    mean, variance = ops.moments(tensor, axes=axes)
    return mean, variance


def _drift(label: str, layer: Any, mean: Any, variance: Any) -> DriftFacts:
    """Compare what a layer was given with what it expects."""
    own, expected = (
        [np.asarray(ops.convert_to_numpy(part), np.float64) for part in parts]
        for parts in ((mean, variance), (layer.moving_mean, layer.moving_variance))
    )
    with np.errstate(all="ignore"):
        # as the layer divides, with its epsilon
        scale = np.sqrt(np.maximum(expected[1], 0) + layer.epsilon)
        distance = (own[0] - expected[0]) / scale
        ratio = np.maximum(own[1], SMALLEST) / np.maximum(expected[1], SMALLEST)
        return DriftFacts(
            layer=label,
            mean=float(math.sqrt(np.mean(distance**2))),
            variance=float(np.exp(np.mean(np.log(ratio)))),
        )
