"""The gradients that arrive at the layers of a model, on one batch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_dlbasic.gradients.generators import generators_kept
from keras_dlbasic.gradients.run_apart import run_apart
from keras_dlbasic.signals.probe import LayerProbe, probe_layers, watched

Scalar = Callable[[list[Any]], Any]


def preactivation_gradients(
    model: Any, x: Any, y: Any, ran: list[LayerProbe]
) -> dict[str, list[np.ndarray]]:
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
    nothing = [
        ops.zeros(tensor.shape, dtype=tensor.dtype)
        for probe in ran
        for tensor in probe.preactivations
    ]
    if y is not None:
        _build_loss(model, x, y)
    # where a scope has no value of a penalised weight, Keras hands None to the penalty
    weights = [(variable, variable.value) for variable in model.trainable_variables]

    def loss(added: list[Any]) -> Any:
        def meet(probe: LayerProbe, call: int, tensor: Any) -> Any:
            place = index.get((probe.label, call))
            return tensor if place is None else tensor + added[place]

        scope = keras.StatelessScope(state_mapping=weights, collect_losses=True)
        with scope, watched(probe_layers(model), meet):
            outputs = model(x, training=False)
            if y is not None:
                return model.compute_loss(x=x, y=y, y_pred=outputs) * _replicas()
            return _noise_product(outputs)

    gradients = run_apart(model, lambda: _gradient(loss, nothing))
    arrays: dict[str, list[np.ndarray]] = {}
    for (label, _), gradient in zip(places, gradients, strict=True):
        array = np.asarray(ops.convert_to_numpy(gradient), np.float64)
        arrays.setdefault(label, []).append(array)
    return arrays


def _noise_product(outputs: Any) -> Any:
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
    variables = [variable for metric in model.metrics for variable in metric.variables]
    values = [np.array(ops.convert_to_numpy(variable)) for variable in variables]

    def run() -> Any:
        with keras.StatelessScope():
            return model(x, training=False)

    outputs = run_apart(model, run)
    with generators_kept():
        model.compute_loss(x=x, y=y, y_pred=outputs)
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)


def _replicas() -> int:
    """Return by what Keras divides losses here: in a strategy's scope its replicas."""
    if keras.backend.backend() != "tensorflow":
        return 1
    import tensorflow as tf

    return int(tf.distribute.get_strategy().num_replicas_in_sync)


def _gradient(function: Scalar, at: list[Any]) -> list[Any]:
    backend = keras.backend.backend()
    if backend == "tensorflow":
        import tensorflow as tf

        with tf.GradientTape() as tape:
            for tensor in at:
                tape.watch(tensor)
            value = function(at)
        return tape.gradient(
            value, at, unconnected_gradients=tf.UnconnectedGradients.ZERO
        )
    if backend == "jax":
        import jax

        return jax.grad(function)(at)
    if backend == "torch":
        import torch

        with torch.enable_grad():
            leaves = [tensor.detach().requires_grad_(True) for tensor in at]
            value = function(leaves)
            gradients = torch.autograd.grad(value, leaves, allow_unused=True)
        return [
            torch.zeros_like(leaf) if gradient is None else gradient
            for gradient, leaf in zip(gradients, leaves, strict=True)
        ]
    raise RuntimeError(
        "Gradients can be taken on the backends 'tensorflow', 'jax' and 'torch'. "
        f"Received: KERAS_BACKEND={backend!r}"
    )
