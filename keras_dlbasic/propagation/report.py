"""The report on how signals propagate through a model."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
from keras import ops

from keras_dlbasic._backends.generators import generators_kept
from keras_dlbasic._data.batch import read_labeled_batch
from keras_dlbasic._data.built import built_from
from keras_dlbasic._keras.activations import channel_axis
from keras_dlbasic._keras.fans import kernel_fans, model_kernels
from keras_dlbasic._keras.following_activation import activations_after
from keras_dlbasic._keras.layer_kinds import kind_of
from keras_dlbasic._wrong_arguments import names_nearest
from keras_dlbasic.analysis.activations.propagation import (
    LayerSignal,
    PropagationReport,
    SignalTrend,
    signal_trend,
    signal_verdict,
)
from keras_dlbasic.initializers import for_activation
from keras_dlbasic.initializers.law import sigma_of
from keras_dlbasic.propagation.backward import run_with_gradients
from keras_dlbasic.propagation.probe import LayerProbe, as_array


@names_nearest
def propagation_report(model: Any, x: Any, y: Any = None) -> PropagationReport:
    """Measure how signals and gradients change along the depth of a model.

    Run it before training, with some dozens of real samples. The expected values only
    apply to random weights; for a trained model the report says so. If a verdict is not
    "ok", the report names the likely cause (kernels that do not match the activation,
    unscaled inputs) and the remedy. The signals are measured, so any model can be used,
    also with residual connections and branches. Dropout is off, and batch normalization
    uses the statistics of the batch. The model is not changed.

    For plain deep networks the theory predicts the following. With Xavier and tanh the
    variance falls slowly, as a power of depth. With Xavier and ReLU it halves at each
    layer. With He and ReLU its expected value is constant, but it fluctuates if there
    are many narrow layers, by a factor of about `exp(sqrt(5 * depth / width))` (Hanin &
    Rolnick 2018). The report states this factor and takes it into account.

    Args:
        model: A Keras model; one without weights is built from `x`.
        x: A batch of inputs: an array, a tensor, a data frame, a list or a structure of
            these; or a data set, of which 256 rows are used. Sample weights of a data
            set are ignored.
        y: Its targets; the gradients are then those of the compiled loss. Defaults to
            None: the targets of a data set are used if the model is compiled. Otherwise
            standard normal noise at the outputs replaces the gradient of the loss.

    Returns:
        A `PropagationReport`; print it, or draw it by `plots.plot_signal_propagation`.

    Raises:
        ValueError: If `x` is not finite or does not fit the model, or `y` is given but
            the model has no loss.

    Reference:
        Glorot & Bengio (2010); He et al. (2015); Poole et al. (2016); Hanin & Rolnick
        (2018), How to start training.

    Example:
    >>> import keras, numpy as np
    >>> import keras_dlbasic as kd
    >>> dense = keras.layers.Dense(32, "tanh", kernel_initializer="glorot_uniform")
    >>> model = keras.Sequential([keras.Input((8,)), dense, keras.layers.Dense(1)])
    >>> report = kd.propagation_report(model, np.eye(8))
    >>> [layer.verdict for layer in report.layers]
    ['ok', 'ok']
    """
    x, y = read_labeled_batch(x, y, model)
    model = built_from(model, x)
    ran, gradients = run_with_gradients(model, x, y)
    activations = activations_after(model)
    # Layers have independent random weights, so the variances of their relative
    # fluctuations add up with depth. The root is how far a signal may be off by chance.
    signals = []
    variance_of_log = 0.0
    for probe in ran:
        signal, added = _measure(probe, gradients[probe.label])
        variance_of_log += added
        scale = _kernel_scale(probe.layer, activations.get(id(probe.layer)))
        signals.append(
            replace(signal, spread=math.sqrt(variance_of_log), kernel_scale=scale)
        )
    return replace(
        _judge(signals, "noise" if y is None else "loss"),
        input_scale=_input_scale(ran),
        is_trained=_is_trained(model),
    )


def _measure(
    probe: LayerProbe, gradients: list[np.ndarray]
) -> tuple[LayerSignal, float]:
    z, outputs = as_array(probe.preactivations), as_array(probe.outputs)
    fan_in, expected = _expectation(probe)
    has_kernel = math.isfinite(fan_in)
    with np.errstate(over="ignore", invalid="ignore"):
        signal = LayerSignal(
            layer=probe.label,
            activation=probe.activation,
            fan_in=fan_in,
            preactivation_mean_square=float(np.mean(z**2)),
            preactivation_variance=float(np.var(z)),
            activation_variance=float(np.var(outputs)),
            gradient_variance=_energy(gradients, probe.layer),
            expected_preactivation=expected,
            spread=0.0,
        )
        n_units = outputs.shape[channel_axis(probe.layer) % outputs.ndim]
        return signal, _fluctuation(outputs, n_units) if has_kernel else 0.0


def _energy(gradients: list[np.ndarray], layer: Any) -> float:
    """Return the mean over samples and units of the squares summed over positions."""
    total = sum(float(np.sum(gradient**2)) for gradient in gradients)
    units = sum(
        gradient.shape[0] * gradient.shape[channel_axis(layer) % gradient.ndim]
        for gradient in gradients
    )
    return total / units


def _fluctuation(outputs: np.ndarray, n_units: int) -> float:
    """Return the relative variance of a layer's mean square over random weights.

    Units are independent given the layer's input, so it is that of one unit's square
    divided by their number: `(E[a^4] / E[a^2]^2 - 1) / n`.
    """
    square = float(np.mean(outputs**2))
    if square == 0 or not math.isfinite(square):
        return 0.0
    kurtosis = float(np.mean((outputs**2 / square) ** 2))
    return (kurtosis - 1) / n_units


def _expectation(probe: LayerProbe) -> tuple[float, float]:
    """Return the fan-in and the expected mean square of the pre-activations."""
    kernels = kernel_fans(probe.layer)
    if len(kernels) != 1 or probe.inputs[0] is None or len(probe.inputs) > 1:
        return (kernels[0].fan_in if kernels else math.nan), math.nan
    kernel = np.asarray(ops.convert_to_numpy(kernels[0].variable), np.float64)
    x = np.asarray(ops.convert_to_numpy(probe.inputs[0]), np.float64)
    if kind_of(probe.layer).kind == "embedding":
        x = np.ones(1)  # which row to take is no size
    fan_in = kernels[0].fan_in
    # For weights of mean zero that are independent of the inputs, the expected square
    # of a sum over the fan-in is fan_in * E[w**2] * E[x**2].
    expected = fan_in * np.mean(kernel**2) * np.mean(x**2)
    bias = getattr(probe.layer, "bias", None)
    if bias is not None:
        expected += np.mean(np.asarray(ops.convert_to_numpy(bias), np.float64) ** 2)
    return fan_in, float(expected)


def _kernel_scale(layer: Any, activation: Any) -> float:
    """Return the size of a layer's kernel relative to the law that suits it."""
    kernels = kernel_fans(layer)
    if len(kernels) != 1:
        return math.nan
    try:
        with generators_kept():  # an initializer draws its seed
            law = for_activation(activation)
    except ValueError:  # a custom function whose gain is not known
        return math.nan
    kernel = np.asarray(ops.convert_to_numpy(kernels[0].variable), np.float64)
    size = float(np.sqrt(np.mean(kernel**2)))
    return size / sigma_of(law, kernels[0].fan_in, kernels[0].fan_out)


def _input_scale(ran: list[LayerProbe]) -> float:
    """Return the root mean square of what the first layer with a kernel is given."""
    for probe in ran:
        if kernel_fans(probe.layer) and probe.inputs[0] is not None:
            if kind_of(probe.layer).kind == "embedding":
                return math.nan  # which row to take is no size
            x = np.asarray(ops.convert_to_numpy(probe.inputs[0]), np.float64)
            return float(np.sqrt(np.mean(x**2)))
    return math.nan


def _is_trained(model: Any) -> bool:
    iterations = getattr(getattr(model, "optimizer", None), "iterations", 0)
    if int(ops.convert_to_numpy(iterations)) > 0:
        return True
    kernels = [layer for layer, _ in model_kernels(model)]
    biases = [getattr(layer, "bias", None) for layer in kernels]
    # initializers give one value to all entries; recurrent gates differ
    return any(
        bias is not None and np.ptp(ops.convert_to_numpy(bias)) > 0
        for layer, bias in zip(kernels, biases, strict=True)
        if not hasattr(layer, "state_size")
    )


def _judge(signals: list[LayerSignal], source: str) -> PropagationReport:
    kernels = [signal for signal in signals if math.isfinite(signal.fan_in)]
    hidden = kernels[:-1] if len(kernels) > 2 else kernels
    if not hidden:
        unknown: SignalTrend = signal_trend([])
        return PropagationReport(tuple(signals), unknown, unknown, source)
    # Variances add up with depth, so what fluctuates between two layers is the
    # difference of their variances.
    spread = math.sqrt(max(hidden[-1].spread ** 2 - hidden[0].spread ** 2, 0.0))
    first, last = hidden[0], hidden[-1]
    judged = [
        replace(
            signal,
            forward_verdict=signal_verdict(
                signal.preactivation_variance,
                first.preactivation_variance,
                signal.spread,
            ),
            backward_verdict=signal_verdict(
                signal.gradient_variance,
                last.gradient_variance,
                math.sqrt(abs(last.spread**2 - signal.spread**2)),
            ),
        )
        for signal in signals
    ]
    return PropagationReport(
        layers=tuple(judged),
        forward=signal_trend([s.preactivation_variance for s in hidden], spread),
        backward=signal_trend([s.gradient_variance for s in hidden[::-1]], spread),
        gradient_source=source,
    )
