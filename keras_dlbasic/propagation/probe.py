"""The signals between the layers of a model, on one batch."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_dlbasic._backends.intercept import replaced
from keras_dlbasic._backends.run_apart import run_apart
from keras_dlbasic._keras.activations import activation_name, inline_activation
from keras_dlbasic._keras.graph import all_layers, walk_layers
from keras_dlbasic._keras.intercepted import intercepted
from keras_dlbasic._keras.layer_kinds import core_of, kind_of

_PASSIVE = ("input", "reshaping", "masking", "dropout", "noise", "identity")
"""Kinds of layers that change nothing in inference, or only places and edges."""


@dataclass
class LayerProbe:
    """What went through a layer; one entry per call, if a model calls it repeatedly.

    Attributes:
        layer: The layer.
        label: Its label, as in records.
        activation: Name of its activation: inline, or its own if it is one; None where
            it has none, `"custom"` for callables that Keras does not know by name.
        inputs: What it was given.
        preactivations: What its activation was given, else its outputs.
        outputs: What it gave.
    """

    layer: Any
    label: str
    activation: str | None
    inputs: list[Any] = field(default_factory=list)
    preactivations: list[Any] = field(default_factory=list)
    outputs: list[Any] = field(default_factory=list)


Meet = Callable[[LayerProbe, int, Any], Any]

Path = tuple[Any, ...]

Outputs = dict[Path, Any]
"""Tensors by their path in what a model gives."""


def probe_layers(model: Any) -> list[LayerProbe]:
    """List the layers of a model between which signals are looked at.

    Layers that only reshape, mask, drop or disturb are left out. Keras' composed
    layers, such as attention, count as one.
    """
    probes: list[LayerProbe] = []
    labels: dict[str, int] = {}
    for layer, label, _, is_whole in walk_layers(model):
        if layer is model or isinstance(layer, keras.Model):
            continue
        if kind_of(layer).kind in _PASSIVE:
            continue
        has_parts = len(all_layers(layer)) > 1
        is_wrapper = core_of(layer) is not layer
        if has_parts and not is_whole and (is_wrapper or not inline_activation(layer)):
            continue  # a layer of the user's; its parts are looked at
        labels[label] = labels.get(label, 0) + 1
        unique = label if labels[label] == 1 else f"{label}#{labels[label]}"
        # a wrapper's layer is looked at itself, maybe in many calls: one a time step
        core = core_of(layer) if is_whole else layer
        probes.append(LayerProbe(core, unique, activation_name(core)))
    return probes


def run_probe(model: Any, x: Any) -> list[LayerProbe]:
    """Run a model on `x` and return what went through its layers.

    Dropout is off; batch normalization that is trained uses the batch, as in training.
    The state of the model, moving averages and random seeds included, stays as it is,
    and so do the generators of the process.

    Returns:
        The layers in the order in which they ran, with tensors.
    """
    return outputs_and_layers(model, x)[1]


def outputs_and_layers(model: Any, x: Any) -> tuple[Outputs, list[LayerProbe]]:
    """Return the outputs of a model on `x` by path, and what `run_probe` returns.

    The path of an output has the keys and places that lead to it: none where the model
    gives a single tensor. The order is that of `keras.tree.flatten`.
    """
    ran: list[LayerProbe] = []
    paths: list[Path] = []

    def meet(probe: LayerProbe, call: int, tensor: Any) -> Any:
        return tensor

    def note(probe: LayerProbe) -> None:
        if len(probe.outputs) == 1:
            ran.append(probe)

    # `run_apart` calls this a second time if the model cannot run in a graph, so it
    # starts from empty lists.
    def run() -> Any:
        ran.clear()
        with keras.StatelessScope(), watched(probe_layers(model), meet, note):
            outputs = model(x, training=False)
        paths[:] = [path for path, _ in keras.tree.flatten_with_path(outputs)]
        met = [(probe.inputs, probe.preactivations, probe.outputs) for probe in ran]
        return keras.tree.flatten(outputs), met

    outputs, met = run_apart(model, run)
    for probe, tensors in zip(ran, met, strict=True):  # those of a graph hold none
        probe.inputs, probe.preactivations, probe.outputs = map(list, tensors)
    return dict(zip(paths, outputs, strict=True)), ran


@contextmanager
def watched(
    probes: list[LayerProbe],
    meet: Meet,
    note: Callable[[LayerProbe], None] = lambda probe: None,
) -> Iterator[None]:
    """Within the context, note what goes through layers that are run.

    Args:
        probes: The layers; what goes through them is appended.
        meet: Given the layer, the number of its call and the pre-activation; returns
            what takes the place of the latter.
        note: Called after each call of a layer.
    """
    with ExitStack() as stack:
        for probe in probes:
            stack.enter_context(intercepted(probe.layer, _watch(probe, meet, note)))
        yield


def _watch(
    probe: LayerProbe, meet: Meet, note: Callable[[LayerProbe], None]
) -> Callable[..., Any]:
    layer, inline = probe.layer, inline_activation(probe.layer)

    def run(call: Any, *args: Any, **kwargs: Any) -> Any:
        # Batch normalization is looked at as it is trained: with the statistics of the
        # batch.
        if kind_of(layer).state == "averages":
            kwargs["training"] = bool(layer.trainable)
        number = len(probe.outputs)
        tensors = [t for t in keras.tree.flatten((args, kwargs)) if _is_float(t)]
        met: list[Any] = []

        def activation(z: Any, *more: Any, **named: Any) -> Any:
            if not met:
                met.append(meet(probe, number, z))
                z = met[0]
            assert inline is not None
            return inline(z, *more, **named)

        # Where the pre-activation is found depends on the layer. If it calls an
        # activation itself, it is the argument of that; if it is an activation, it is
        # the input; else it is the output.
        if inline is not None:
            with replaced(layer, "activation", activation):
                outputs = call(*args, **kwargs)
        elif probe.activation is not None and tensors:
            met.append(meet(probe, number, tensors[0]))
            outputs = call(met[0], *args[1:], **kwargs)
        else:
            outputs = call(*args, **kwargs)
        if not met:
            outputs, first = _meet_output(outputs, lambda t: meet(probe, number, t))
            met.append(first)
        probe.inputs.append(tensors[0] if tensors else None)
        probe.preactivations.append(met[0])
        probe.outputs.append(keras.tree.flatten(outputs)[0])
        note(probe)
        return outputs

    return run


def _meet_output(outputs: Any, meet: Callable[[Any], Any]) -> tuple[Any, Any]:
    flat = keras.tree.flatten(outputs)
    if not _is_float(flat[0]):
        return outputs, flat[0]
    flat[0] = meet(flat[0])
    return keras.tree.pack_sequence_as(outputs, flat), flat[0]


def _is_float(value: Any) -> bool:
    return ops.is_tensor(value) and "float" in keras.backend.standardize_dtype(
        value.dtype
    )


def as_array(tensors: list[Any]) -> np.ndarray:
    """Join the tensors of several calls to one float64 array.

    Calls whose shapes differ are flattened.
    """
    arrays = [np.asarray(ops.convert_to_numpy(t), np.float64) for t in tensors]
    if len({array.shape[1:] for array in arrays}) > 1:
        return np.concatenate([array.ravel() for array in arrays])
    return np.concatenate(arrays)
