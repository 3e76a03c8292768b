"""The gradients that arrive at the layers of a model, on one batch."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops

from keras_dlbasic._backends.generators import generators_kept
from keras_dlbasic._backends.loading import backend_module
from keras_dlbasic._backends.run_apart import run_apart
from keras_dlbasic.propagation.probe import (
    LayerProbe,
    probe_layers,
    run_probe,
    watched,
)

Gradients = dict[str, list[np.ndarray]]
"""By label of the layer, one array per call of it."""


def run_with_gradients(
    model: Any, x: Any, y: Any
) -> tuple[list[LayerProbe], Gradients]:
    """Return what `run_probe` and `preactivation_gradients` give for a batch.

    On JAX both come out of one compiled function: run layer by layer, each operation
    would be compiled by itself. What cannot be traced is run so all the same.
    """
    if keras.backend.backend() == "jax":
        try:
            return _compiled(model, x, y)
        except Exception:  # code of the user's that needs numbers
            pass
    ran = run_probe(model, x)
    return ran, preactivation_gradients(model, x, y, ran)


def _compiled(model: Any, x: Any, y: Any) -> tuple[list[LayerProbe], Gradients]:
    if y is not None:
        _build_loss(model, x, y)
    ran: list[LayerProbe] = []
    labels: list[str] = []

    def forward(x: Any, added: list[Any] | None) -> Any:
        ran.clear()
        labels.clear()
        before: list[Any] = []

        def meet(probe: LayerProbe, call: int, tensor: Any) -> Any:
            place = len(labels)
            labels.append(probe.label)
            before.append(tensor)
            return tensor if added is None else tensor + added[place]

        def note(probe: LayerProbe) -> None:
            if len(probe.outputs) == 1:
                ran.append(probe)

        with watched(probe_layers(model), meet, note):
            outputs = model(x, training=False)
        if y is None:
            value = _noise_product(outputs)
        else:
            value = model.compute_loss(x=x, y=y, y_pred=outputs)
        seen = [(probe.inputs, probe.preactivations, probe.outputs) for probe in ran]
        return value, before, seen

    autodiff = backend_module("autodiff", "Gradients can be taken")
    with generators_kept(model):
        gradients, seen = autodiff.compiled_gradient(model, forward, x)
    for probe, tensors in zip(ran, seen, strict=True):
        probe.inputs, probe.preactivations, probe.outputs = map(list, tensors)
    arrays: Gradients = {}
    for label, gradient in zip(labels, gradients, strict=True):
        arrays.setdefault(label, []).append(_doubles(gradient))
    return ran, arrays


def preactivation_gradients(
    model: Any, x: Any, y: Any, ran: list[LayerProbe]
) -> Gradients:
    """Return the gradients with respect to the pre-activations of each layer.

    Args:
        model: The model. With `y`, it must be compiled with a loss.
        x: A batch.
        y: Its targets, or None: what then goes backward from the outputs is standard
            normal noise, alike in each call.
        ran: What `run_probe` gave for this batch.

    Returns:
        By label, one array per call of the layer.
    """
    places = [
        (probe.label, number)
        for probe in ran
        for number, tensor in enumerate(probe.preactivations)
    ]
    index = {place: i for i, place in enumerate(places)}
    # The gradient with respect to a pre-activation is that with respect to a zero that
    # is added to it. So one backward pass to these zeros gives all of them.
    nothing = [
        ops.zeros(tensor.shape, dtype=tensor.dtype)
        for probe in ran
        for tensor in probe.preactivations
    ]
    if y is not None:
        _build_loss(model, x, y)
    # where a scope has no value of a penalized weight, Keras hands None to the penalty
    weights = [(variable, variable.value) for variable in model.trainable_variables]

    autodiff = backend_module("autodiff", "Gradients can be taken")

    def loss_at(added: list[Any]) -> Any:
        def meet(probe: LayerProbe, call: int, tensor: Any) -> Any:
            place = index.get((probe.label, call))
            return tensor if place is None else tensor + added[place]

        scope = keras.StatelessScope(state_mapping=weights, collect_losses=True)
        with scope, watched(probe_layers(model), meet):
            outputs = model(x, training=False)
            if y is not None:
                loss = model.compute_loss(x=x, y=y, y_pred=outputs)
                return loss * autodiff.loss_divisor()
            return _noise_product(outputs)

    gradients = run_apart(model, lambda: autodiff.gradient(loss_at, nothing))
    arrays: Gradients = {}
    for (label, _), gradient in zip(places, gradients, strict=True):
        arrays.setdefault(label, []).append(_doubles(gradient))
    return arrays


def _doubles(tensor: Any) -> np.ndarray:
    return np.asarray(ops.convert_to_numpy(tensor), np.float64)


def _noise_product(outputs: Any) -> Any:
    # The gradient of the sum of outputs times noise is the noise itself: it is sent
    # backward from the outputs in place of that of a loss.
    generator = np.random.default_rng(0)
    products = []
    for output in keras.tree.flatten(outputs):
        noise = generator.standard_normal(tuple(output.shape)).astype("float32")
        products.append(
            ops.sum(ops.cast(output, "float32") * ops.convert_to_tensor(noise))
        )
    return sum(products[1:], products[0])


def _build_loss(model: Any, x: Any, y: Any) -> None:
    """Have the compiled loss built, which a stateless scope would refuse."""
    if not getattr(model, "compiled", False) or model.loss is None:
        raise ValueError(
            "With `y`, the gradients are those of the compiled loss, but model "
            f"'{model.name}' has none. Call `model.compile(loss=..., ...)` first, or "
            "leave `y` out: then noise is sent backward from the outputs."
        )
    # Computing a loss updates the metrics that keep its mean, so their values are put
    # back.
    variables = [variable for metric in model.metrics for variable in metric.variables]
    values = [np.array(ops.convert_to_numpy(variable)) for variable in variables]

    def run() -> Any:
        with keras.StatelessScope():
            return model(x, training=False)

    autodiff = backend_module("autodiff", "Gradients can be taken")
    outputs = run_apart(model, lambda: autodiff.shaped_like(run))
    with generators_kept(model):
        model.compute_loss(x=x, y=y, y_pred=outputs)
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)
