"""What is known of a model before it is trained."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops

from keras_dlbasic._keras.activations import activation_name
from keras_dlbasic._keras.fans import kernel_fans
from keras_dlbasic._keras.following_activation import activations_after
from keras_dlbasic._keras.graph import walk_layers
from keras_dlbasic.records import LayerFacts, ModelFacts, OutputFacts

NORMALIZING = (
    keras.layers.BatchNormalization,
    keras.layers.LayerNormalization,
    keras.layers.GroupNormalization,
    keras.layers.UnitNormalization,
    keras.layers.RMSNormalization,
)
SCALING = (keras.layers.Normalization, keras.layers.Rescaling)


def network_facts(model: Any) -> ModelFacts:
    """Describe a built model.

    Args:
        model: A built model.

    Returns:
        A `ModelFacts`.

    Example:
    >>> import keras
    >>> from keras_dlbasic.inspection import network_facts
    >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, "relu")])
    >>> facts = network_facts(model)
    >>> facts.n_weights, facts.outputs[0].activation
    (15, 'relu')
    """
    following = _following(model)
    layers = tuple(
        _layer_facts(layer, label, following)
        for layer, label, _, is_whole in walk_layers(model)
        if layer is not model and (is_whole or not isinstance(layer, keras.Model))
    )
    return ModelFacts(
        layers=layers,
        outputs=_outputs(model, layers),
        n_weights=int(sum(np.prod(w.shape) for w in model.weights)),
        n_trainable_weights=int(
            sum(np.prod(w.shape) for w in model.trainable_variables)
        ),
        is_sequential=isinstance(model, keras.Sequential),
        normalizes_inputs=_normalizes_inputs(layers),
    )


def output_facts(model: Any) -> tuple[OutputFacts, ...]:
    """Return the `outputs` of `network_facts` alone, without a look at weights."""
    layers = tuple(
        LayerFacts(label, activation=activation_name(layer), units=_units(layer))
        for layer, label, _, is_whole in walk_layers(model)
        if layer is not model and (is_whole or not isinstance(layer, keras.Model))
    )
    return _outputs(model, layers)


def _units(layer: Any) -> int | None:
    return getattr(layer, "units", None) or getattr(layer, "filters", None)


def _following(model: Any) -> dict[int, Any]:
    try:
        return activations_after(model)
    except (AttributeError, ValueError):  # a subclassed model has no graph
        return {}


def _layer_facts(layer: Any, label: str, following: dict[int, Any]) -> LayerFacts:
    after = following.get(id(layer))
    after = getattr(after, "__name__", after) if after else None
    rate = getattr(layer, "rate", None)
    drops = isinstance(rate, (int, float)) and "Dropout" in type(layer).__name__
    normalizes_batches = isinstance(layer, keras.layers.BatchNormalization)
    return LayerFacts(
        label=label,
        class_name=type(layer).__name__,
        activation=activation_name(layer),
        units=_units(layer),
        trainable=bool(layer.trainable),
        n_weights=int(sum(np.prod(w.shape) for w in layer.weights)),
        n_non_finite=sum(_non_finite(w) for w in layer.weights),
        normalizes=isinstance(layer, NORMALIZING),
        batch_normalizes=normalizes_batches,
        scales=isinstance(layer, SCALING),
        is_recurrent=isinstance(layer, (keras.layers.RNN, keras.layers.Bidirectional)),
        next_activation=after if isinstance(after, (str, type(None))) else "custom",
        dropout=float(rate) if drops and rate is not None else None,
        momentum=float(layer.momentum) if normalizes_batches else None,
        **_kernel_facts(layer),
    )


def _non_finite(weight: Any) -> int:
    values = np.asarray(ops.convert_to_numpy(weight))
    if values.dtype.kind in "biuOSU":
        return 0
    return int(np.sum(~np.isfinite(values.astype(np.float32, copy=False))))


def _kernel_facts(layer: Any) -> dict[str, Any]:
    if not getattr(layer, "built", False):
        return {}
    kernels = [fans for fans in kernel_fans(layer) if not fans.is_recurrent]
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
        "kernel_shape": tuple(map(int, kernel.shape)),
        "penalty": _penalty(fans.variable),
    }


def _penalty(variable: Any) -> str | None:
    regularizer = getattr(variable, "regularizer", None)
    return None if regularizer is None else type(regularizer).__name__


def _outputs(model: Any, layers: tuple[LayerFacts, ...]) -> tuple[OutputFacts, ...]:
    labels = {facts.label.rsplit("/", 1)[-1]: facts for facts in layers}
    found = []
    shapes = getattr(model, "output_shape", None)
    tensors = keras.tree.flatten(getattr(model, "outputs", None) or [])
    for number, tensor in enumerate(tensors):
        history = getattr(tensor, "_keras_history", None)
        operation = getattr(history, "operation", None)
        known: Any = labels.get(getattr(operation, "name", ""))
        if isinstance(operation, keras.Model) and operation is not model:
            known = _outputs(operation, layers)[0] if operation.outputs else None
        found.append(
            OutputFacts(
                name=getattr(operation, "name", f"output_{number}"),
                activation=_output_activation(operation, known),
                units=int(tensor.shape[-1]) if tensor.shape[-1] else None,
                rank=len(tensor.shape),
            )
        )
    if not found and shapes is None and layers:
        last = layers[-1]
        found = [OutputFacts(last.label, last.activation, last.units)]
    return tuple(found)


def _output_activation(
    operation: Any, known: LayerFacts | OutputFacts | None
) -> str | None:
    if known is not None:
        return known.activation
    name = type(operation).__name__.lower()
    return name if name in ("softmax", "sigmoid", "relu", "tanh") else None


def _normalizes_inputs(layers: tuple[LayerFacts, ...]) -> bool:
    """Tell whether inputs are scaled before the first kernel meets them."""
    for facts in layers:
        if facts.normalizes or facts.scales:
            return True
        if facts.has_kernel or facts.is_recurrent:
            return facts.class_name == "Embedding"
    return False
