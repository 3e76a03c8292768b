"""What is known of a model before it is trained."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_dlbasic._keras.activations import activation_name
from keras_dlbasic._keras.exchanged_axes import exchanging_reshapes
from keras_dlbasic._keras.fans import kernel_fans
from keras_dlbasic._keras.fixed_widths import resizable_layers
from keras_dlbasic._keras.following_activation import (
    activations_after,
    normalized_layers,
)
from keras_dlbasic._keras.graph import walk_layers
from keras_dlbasic._keras.layer_kinds import core_of, first_cell, kind_of
from keras_dlbasic._keras.misread_axes import misread_axes
from keras_dlbasic._keras.outputs import model_outputs
from keras_dlbasic._keras.own_operations import may_act_between_layers
from keras_dlbasic._keras.padding_masks import makes_masks, mask_lost, padding_reader
from keras_dlbasic._keras.rebuildable import why_not_rebuilt
from keras_dlbasic._keras.seen_in_call import seen_in_call
from keras_dlbasic._keras.softmax_over_one import softmax_over_one
from keras_dlbasic._keras.untracked_layers import untracked_layers
from keras_dlbasic._keras.unused_layers import uncalled_layers, unused_layers
from keras_dlbasic.records import LayerFacts, ModelFacts, OutputFacts

MAX_UNTRACKED = 20
"""More layers that Keras does not find, or that are never called, are not listed."""


def network_facts(model: Any, x: Any = None) -> ModelFacts:
    """Describe a built model.

    Args:
        model: A built model.
        x: A batch of inputs, for models whose outputs must be traced. Defaults to None:
            zeros, of the shapes that the model was built for.

    Example:
    >>> import keras
    >>> from keras_dlbasic.inspection.network_facts import network_facts
    >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, "relu")])
    >>> facts = network_facts(model)
    >>> facts.n_weights, facts.outputs[0].activation
    (15, 'relu')
    """
    following = _following(model)
    normalized = _normalized(model)
    seen = seen_in_call(model, x)
    fixed = why_not_rebuilt(model)
    lost = mask_lost(model)
    walked = [
        (layer, label)
        for layer, label, _, is_whole in walk_layers(model)
        if layer is not model and (is_whole or not isinstance(layer, keras.Model))
    ]
    labels = {id(layer): label for layer, label in walked}
    misread = {
        place: labels.get(id(source)) for place, source in misread_axes(model).items()
    }
    layers = tuple(
        replace(
            _layer_facts(layer, label, following),
            misreads=misread.get(id(layer)),
            is_normalized=id(layer) in normalized,
        )
        for layer, label in walked
    )
    return ModelFacts(
        layers=layers,
        outputs=output_facts(model, x),
        n_weights=int(sum(np.prod(w.shape) for w in model.weights)),
        n_trainable_weights=int(
            sum(np.prod(w.shape) for w in model.trainable_variables)
        ),
        is_sequential=isinstance(model, keras.Sequential),
        normalizes_inputs=_normalizes_inputs(layers),
        may_act_between_layers=may_act_between_layers(model),
        why_not_rebuilt=fixed,
        n_resizable=None if fixed else len(resizable_layers(model)),
        padding_reader=padding_reader(model),
        makes_masks=makes_masks(model),
        mask_lost=None if lost is None else lost.place,
        untracked=tuple(untracked_layers(model)[:MAX_UNTRACKED]),
        unused=tuple(unused_layers(model)[:MAX_UNTRACKED]),
        uncalled=tuple(uncalled_layers(model)[:MAX_UNTRACKED]),
        made_in_call=seen.layers[:MAX_UNTRACKED],
        variables_in_call=seen.variables[:MAX_UNTRACKED],
        exchanged_axes=(*exchanging_reshapes(model), *seen.reshapes)[:MAX_UNTRACKED],
    )


def output_facts(model: Any, x: Any = None) -> tuple[OutputFacts, ...]:
    """Return the `outputs` of `network_facts` alone, without a look at weights."""
    return tuple(OutputFacts(**asdict(output)) for output in model_outputs(model, x))


def _following(model: Any) -> dict[int, Any]:
    try:
        return activations_after(model)
    except (AttributeError, ValueError):  # a subclassed model has no graph
        return {}


def _normalized(model: Any) -> set[int]:
    try:
        return normalized_layers(model)
    except (AttributeError, ValueError):  # a subclassed model has no graph
        return set()


def _layer_facts(layer: Any, label: str, following: dict[int, Any]) -> LayerFacts:
    core, kind = core_of(layer), kind_of(layer)
    after = following.get(id(layer))
    after = getattr(after, "__name__", after) if after else None
    return LayerFacts(
        label=label,
        class_name=type(layer).__name__,
        kind=kind.kind,
        activation=activation_name(layer),
        units=getattr(core, "units", None) or getattr(core, "filters", None),
        trainable=bool(layer.trainable),
        n_weights=int(sum(np.prod(w.shape) for w in layer.weights)),
        n_non_finite=sum(_non_finite(w) for w in layer.weights),
        normalizes=kind.kind == "normalization",
        batch_normalizes=kind.state == "averages",
        scales=kind.kind == "scaling",
        not_adapted=_is_not_adapted(core),
        is_recurrent=kind.kind == "recurrent",
        next_activation=after if isinstance(after, (str, type(None))) else "custom",
        dropout=float(core.rate) if kind.kind == "dropout" else None,
        noise=float(core.stddev)
        if isinstance(core, keras.layers.GaussianNoise)
        else None,
        momentum=float(core.momentum) if kind.state == "averages" else None,
        cell_activation=_cell_activation(layer),
        dtype=layer.variable_dtype if layer.weights else None,
        softmax_over_one=softmax_over_one(layer),
        **_kernel_facts(layer),
    )


def _is_not_adapted(layer: Any) -> bool:
    """Return whether a `Normalization` knows no mean and variance, as it is made."""
    if not isinstance(layer, keras.layers.Normalization):
        return False
    mean, variance = (
        getattr(layer, name, None) for name in ("adapt_mean", "adapt_variance")
    )
    if mean is None or variance is None:  # given, or not built
        return False
    values = [np.asarray(ops.convert_to_numpy(part)) for part in (mean, variance)]
    return bool((values[0] == 0).all() and (values[1] == 1).all())


def _cell_activation(layer: Any) -> str | None:
    if kind_of(layer).kind != "recurrent":
        return None
    function = getattr(first_cell(layer), "activation", None)
    name = getattr(function, "__name__", None)
    return name if isinstance(name, str) else None


def _non_finite(weight: Any) -> int:
    values = np.asarray(ops.convert_to_numpy(weight))
    if values.dtype.kind in "biuOSU":
        return 0
    finite = np.isfinite(values.astype(np.float32, copy=False))
    return int(values.size - np.count_nonzero(finite))


def _kernel_facts(layer: Any) -> dict[str, Any]:
    if not getattr(layer, "built", False):
        return {}
    owner = first_cell(layer) if kind_of(layer).kind == "recurrent" else layer
    kernels = [fans for fans in kernel_fans(owner) if not fans.is_recurrent]
    if not kernels:
        return {}
    fans = kernels[0]
    kernel = np.asarray(ops.convert_to_numpy(fans.variable), np.float64)
    size = float(np.sqrt(np.vdot(kernel, kernel) / kernel.size)) if kernel.size else 0.0
    # Each column has the weights of a unit. Units with the same weights compute the
    # same. In most kernels the first weights differ already.
    columns = kernel.reshape(-1, kernel.shape[-1])
    alike = columns.shape[1] > 1 and all(
        np.abs(part - part[:, :1]).max() <= 1e-7 * max(size, 1e-30)
        for part in (columns[:1], columns)
    )
    return {
        "kernel_rms": size,
        "gain": size * float(np.sqrt(fans.fan_in)),  # He: sqrt(2), Xavier: about 1
        "fan_in": float(fans.fan_in),
        "fan_out": float(fans.fan_out),
        "units_alike": bool(alike),
        "kernel_shape": tuple(map(int, kernel.shape)),
        "penalty": _class_name(fans.variable, "regularizer"),
        "constraint": _class_name(fans.variable, "constraint"),
    }


def _class_name(variable: Any, role: str) -> str | None:
    """Return the class name of the regularizer or constraint of a variable."""
    value = getattr(variable, role, None)
    return None if value is None else type(value).__name__


def _normalizes_inputs(layers: tuple[LayerFacts, ...]) -> bool:
    """Return whether inputs are scaled before the first kernel meets them."""
    for facts in layers:
        if facts.not_adapted:
            continue
        if facts.normalizes or facts.scales:
            return True
        if facts.has_kernel or facts.is_recurrent:
            return facts.kind == "embedding"
    return False
