"""What is known of a model before it is trained."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_dlbasic._keras.activations import activation_name
from keras_dlbasic._keras.fans import kernel_fans
from keras_dlbasic._keras.following_activation import activations_after
from keras_dlbasic._keras.graph import walk_layers
from keras_dlbasic._keras.layer_kinds import core_of, first_cell, kind_of
from keras_dlbasic._keras.outputs import model_outputs


def network_facts(model: Any, x: Any = None) -> dict[str, Any]:
    """Describe a built model in terms JSON knows.

    Args:
        model: A built model.
        x: A batch of inputs, for models whose outputs must be traced. Defaults to None:
            zeros, of the shapes that the model was built for.

    Returns:
        `"layers"`: a dictionary each, from input to output: label, class, kind (see
        `LayerKind`), activation, units, whether it is trainable, how many of its
        weights are not finite, how its kernel was drawn (rms, expected rms by He's law,
        whether its units are all alike), dropout rate; `"outputs"`: name, activation,
        units, rank and the axis of a softmax, see `Output`; `"n_weights"`,
        `"n_trainable_weights"`; `"is_sequential"`.
    """
    layers = []
    following = _following(model)
    for layer, label, _, is_whole in walk_layers(model):
        if layer is model or (isinstance(layer, keras.Model) and not is_whole):
            continue
        layers.append(_layer_facts(layer, label, following))
    return {
        "layers": layers,
        "outputs": output_facts(model, x),
        "n_weights": int(sum(np.prod(w.shape) for w in model.weights)),
        "n_trainable_weights": int(
            sum(np.prod(w.shape) for w in model.trainable_variables)
        ),
        "is_sequential": isinstance(model, keras.Sequential),
        "normalizes_inputs": _normalizes_inputs(layers),
    }


def output_facts(model: Any, x: Any = None) -> list[dict[str, Any]]:
    """Return the `"outputs"` of `network_facts` alone, without a look at weights."""
    found = [asdict(output) for output in model_outputs(model, x)]
    for facts in found:
        if facts["activation"] != "softmax":
            del facts["softmax_axis"]
    return found


def _following(model: Any) -> dict[int, Any]:
    try:
        return activations_after(model)
    except (AttributeError, ValueError):  # a subclassed model has no graph
        return {}


def _layer_facts(layer: Any, label: str, following: dict[int, Any]) -> dict[str, Any]:
    core, kind = core_of(layer), kind_of(layer)
    facts: dict[str, Any] = {
        "label": label,
        "class_name": type(layer).__name__,
        "kind": kind.kind,
        "activation": activation_name(layer),
        "units": getattr(core, "units", None) or getattr(core, "filters", None),
        "trainable": bool(layer.trainable),
        "n_weights": int(sum(np.prod(w.shape) for w in layer.weights)),
        "n_non_finite": sum(_non_finite(w) for w in layer.weights),
        "normalizes": kind.kind == "normalization",
        "batch_normalizes": kind.state == "averages",
        "scales": kind.kind == "scaling",
        "is_recurrent": kind.kind == "recurrent",
    }
    after = following.get(id(layer))
    facts["next_activation"] = getattr(after, "__name__", after) if after else None
    if not isinstance(facts["next_activation"], (str, type(None))):
        facts["next_activation"] = "custom"
    if kind.kind == "dropout":
        facts["dropout"] = float(core.rate)
    if kind.state == "averages":
        facts["momentum"] = float(core.momentum)
    facts.update(_kernel_facts(layer))
    return facts


def _non_finite(weight: Any) -> int:
    values = np.asarray(ops.convert_to_numpy(weight))
    if values.dtype.kind in "biuOSU":
        return 0
    return int(np.sum(~np.isfinite(values.astype(np.float32, copy=False))))


def _kernel_facts(layer: Any) -> dict[str, Any]:
    if not getattr(layer, "built", False):
        return {}
    owner = first_cell(layer) if kind_of(layer).kind == "recurrent" else layer
    kernels = [fans for fans in kernel_fans(owner) if not fans.is_recurrent]
    if not kernels:
        return {}
    fans = kernels[0]
    kernel = np.asarray(ops.convert_to_numpy(fans.variable), np.float64)
    size = float(np.sqrt(np.mean(kernel**2))) if kernel.size else 0.0
    columns = kernel.reshape(-1, kernel.shape[-1])
    alike = bool(
        columns.shape[1] > 1
        and np.abs(columns - columns[:, :1]).max() <= 1e-7 * max(size, 1e-30)
    )
    return {
        "kernel_rms": size,
        "gain": size * float(np.sqrt(fans.fan_in)),  # He: sqrt(2), Xavier: about 1
        "fan_in": float(fans.fan_in),
        "fan_out": float(fans.fan_out),
        "units_alike": alike,
        "kernel_shape": [int(n) for n in kernel.shape],
        "penalty": _penalty(fans.variable),
    }


def _penalty(variable: Any) -> str | None:
    regularizer = getattr(variable, "regularizer", None)
    return None if regularizer is None else type(regularizer).__name__


def _normalizes_inputs(layers: list[dict[str, Any]]) -> bool:
    """Tell whether inputs are scaled before the first kernel meets them."""
    for facts in layers:
        if facts["normalizes"] or facts["scales"]:
            return True
        if "gain" in facts or facts["is_recurrent"]:
            return bool(facts["kind"] == "embedding")
    return False
