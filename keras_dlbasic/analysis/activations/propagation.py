"""How signals and gradients change along the depth of a network."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from keras_dlbasic._display import Displayed, Plotted, wrapped
from keras_dlbasic._wrong_arguments import names_nearest

LEAST_LAYERS = 6
"""With fewer layers no law of depth is fitted."""

LIVELY = 100.0
"""Variances within this factor of the reference are never called wrong."""

GONE = 1e-6
"""Share of the reference's variance below which a signal counts as vanished: the square
of the ratio of norms that `gradient_events` uses."""


LARGEST_EXPONENT = 8.0
"""Powers of depth beyond are told from an exponential by nothing but the fit; the laws
of He and Xavier have 1 (tanh) and 4 (sigmoid)."""

UNEXPLAINED = 0.1
"""A law of depth leaves at most this share of the variance of the logarithms."""

SCALED_INPUTS = (0.01, 10.0)
"""Root mean squares of inputs that are in scale; one-hot ones are well below 1."""

FITTING_KERNELS = (0.9, 1.1)
"""Kernel scales at which the law fits; Xavier for ReLU is at 0.71 or so."""


@dataclass(frozen=True, repr=False)
class SignalTrend(Displayed):
    """The law by which a variance changes with depth.

    Attributes:
        kind: `"constant"`, `"power_law"`, `"exponential"`, `"irregular"` where none of
            these describes the course, or `"unknown"` for fewer than six layers or
            values that are not positive.
        factor: Mean factor per layer, of an exponential through the values.
        exponent: Exponent of a power law through the values, in the depth counted from
            the near or the far end; negative where they fall.
        change: Last value divided by the first.
        band: Factor, up or down, within which chance alone may carry a signal that is
            constant in expectation (three standard deviations).
        extent: Largest value divided by the smallest.
    """

    kind: str
    factor: float
    exponent: float
    change: float
    band: float
    extent: float = math.nan

    def __str__(self) -> str:
        if self.kind == "constant":
            return f"constant within chance (a factor of {self.band:.2g})"
        if self.kind == "power_law":
            return (
                f"{_direction(self.exponent)} slowly, as a power of depth (exponent "
                f"{self.exponent:.2g})"
            )
        if self.kind == "exponential":
            return (
                f"{_direction(self.factor - 1)} exponentially, by a factor of "
                f"{self.factor:.2g} at each layer"
            )
        if self.kind == "irregular":
            return (
                "irregular: no law of depth describes it, its largest value is "
                f"{self.extent:.2g} times its smallest"
            )
        return "unknown: too few layers to tell, or values that are not positive"


@names_nearest
@dataclass(frozen=True, repr=False)
class LayerSignal(Displayed):
    """The signals at a layer.

    Attributes:
        layer: Label of the layer.
        activation: Name of its activation, or None.
        fan_in: Number of inputs of a unit; NaN for layers without a kernel.
        preactivation_mean_square: `E[z^2]` over samples and units.
        preactivation_variance: Variance of the input of the activation.
        activation_variance: Variance of the output of the layer.
        gradient_variance: Variance (about zero) of the gradient with respect to the
            pre-activations, over samples and units, summed over the positions of a unit
            (pixels, time steps).
        expected_preactivation: `fan_in * mean(w^2) * mean(x^2) + mean(b^2)`: the
            expected value of `preactivation_mean_square` over random weights of that
            size, given the layer's input `x`. NaN without a kernel.
        spread: Standard deviation of the logarithm of the signal's mean square, caused
            by the finite width of the layers up to this one.
        kernel_scale: Root mean square of the kernel divided by the recommended standard
            deviation, which follows from `initializers.for_activation` and the true
            fans of the layer. 1 in a freshly and well initialized layer. NaN where that
            is not known.
        forward_verdict: `"ok"`, `"shrinking"`, `"growing"`, `"vanishing"`,
            `"exploding"`, `"zero"` or `"non_finite"`, relative to the first layer.
        backward_verdict: The same for the gradient, relative to the last layer.

    Example:
    >>> from keras_dlbasic.analysis import LayerSignal
    >>> signal = LayerSignal("dense", "tanh", 32, 1.0, 1.0, 0.4, 0.1, 1.0, spread=0.2)
    >>> signal.verdict
    'ok'
    """

    layer: str
    activation: str | None
    fan_in: float
    preactivation_mean_square: float
    preactivation_variance: float
    activation_variance: float
    gradient_variance: float
    expected_preactivation: float
    spread: float
    kernel_scale: float = math.nan
    forward_verdict: str = "ok"
    backward_verdict: str = "ok"

    @property
    def verdict(self) -> str:
        """The worse of the two verdicts."""
        return max(self.forward_verdict, self.backward_verdict, key=_VERDICTS.index)


@names_nearest
@dataclass(frozen=True, repr=False)
class PropagationReport(Plotted):
    """The result of `propagation_report`.

    Attributes:
        layers: One `LayerSignal` per layer, in the order in which the layers ran.
        forward: How the variance of the pre-activations changes over the hidden layers
            with kernels, from the first to the last.
        backward: The same for the variance of the gradient, from the last to the first.
        gradient_source: Where the gradients come from: `"loss"`, or `"noise"` at the
            outputs.
        input_scale: Root mean square of the input of the first layer with a kernel.
        is_trained: Whether the model was trained before the report.

    Example:
    >>> import keras, numpy as np
    >>> import keras_dlbasic as kd
    >>> layers = [keras.layers.Dense(32, "relu") for _ in range(2)]
    >>> model = keras.Sequential([keras.Input((8,)), *layers, keras.layers.Dense(1)])
    >>> report = kd.propagation_report(model, np.eye(8))
    >>> len(report.layers), report.gradient_source
    (3, 'noise')
    """

    layers: tuple[LayerSignal, ...]
    forward: SignalTrend
    backward: SignalTrend
    gradient_source: str
    input_scale: float = math.nan
    is_trained: bool = False

    @property
    def causes(self) -> tuple[str, ...]:
        """Likely causes of the problems, each with its remedy, as text.

        Kernels are named only if a verdict is not "ok" and the model is untrained.
        """
        found = [_about_inputs(self.input_scale)]
        is_fine = {layer.verdict for layer in self.layers} <= {"ok"}
        if not is_fine and not self.is_trained:
            found.append(_about_kernels(self.layers))
            if not any(found):
                found.append(_UNKNOWN_CAUSE)
        return tuple(text for text in found if text)

    @property
    def spread(self) -> float:
        """Orders of magnitude by which the variance may change by chance.

        Two standard deviations, for random weights of these widths.
        """
        spreads = [layer.spread for layer in self.layers]
        return 2 * max(spreads, default=0.0) / math.log(10)

    @property
    def expectation(self) -> str:
        """The expected signals, as text."""
        return (
            "Per layer: fan_in * mean(w^2) * mean(x^2) + mean(b^2), the expectation "
            "over random weights given the layer's input. Over depth: a variance that "
            "is constant in expectation, give or take the chance of finite width."
        )

    def __repr__(self) -> str:
        odd = sum(layer.verdict != "ok" for layer in self.layers)
        return (
            f"<PropagationReport: {odd} of {len(self.layers)} layers are not ok; "
            f"forward {self.forward.kind}, backward {self.backward.kind}>"
        )

    def __str__(self) -> str:
        source = "the loss" if self.gradient_source == "loss" else "noise"
        lines = [
            f"{'layer':17} {'activation':>10} {'var z':>9} {'expected':>9} "
            f"{'var a':>9} {'var grad':>9}  verdict",
        ]
        for s in self.layers:
            lines.append(
                f"{s.layer[-17:]:17} {(s.activation or '-')[:10]:>10} "
                f"{s.preactivation_variance:9.2e} {s.expected_preactivation:9.2e} "
                f"{s.activation_variance:9.2e} {s.gradient_variance:9.2e}  {s.verdict}"
            )
        lines += [
            f"Forward, the signal is {self.forward}.",
            f"Backward from {source}, the gradient is {self.backward}.",
            f"Compared with: {self.expectation}",
        ]
        if self.spread >= 1:
            lines.append(
                "The layers are so narrow for this depth that chance alone moves the "
                f"variance by up to {self.spread:.1f} orders of magnitude: other "
                "seeds give other results."
            )
        lines += self.causes
        if self.is_trained:
            lines.append(
                "The model is trained, but the expected values and the laws of depth "
                "apply to random weights. To check the initialization, use "
                "`keras.models.clone_model(model)`."
            )
        return wrapped("\n".join(lines))


def signal_trend(variances: Sequence[float], spread: float = 0.0) -> SignalTrend:
    """Tell by which law a variance changes from layer to layer.

    Args:
        variances: One value per layer, in the direction of the signal.
        spread: Standard deviation of the logarithm of the last value that chance alone
            accounts for. Defaults to `0.0`.

    Returns:
        The law: constant if the fitted change is within three times `spread` (or a
        factor of 2) and all values within four times; else a power law or an
        exponential, whichever fits better, if it accounts for 90 % of the variance of
        the logarithms or leaves no more than chance; else irregular.

    Example:
    >>> from keras_dlbasic.analysis.activations.propagation import signal_trend
    >>> trend = signal_trend([0.5**depth for depth in range(20)])
    >>> trend.kind, round(trend.factor, 2)
    ('exponential', 0.5)
    """
    values = np.asarray(variances, np.float64)
    # Three standard deviations of chance count as constant, and a factor of two in any
    # case.
    chance = max(spread, math.log(2) / 3)
    band = math.exp(3 * chance)
    if len(values) < LEAST_LAYERS or not (np.isfinite(values) & (values > 0)).all():
        return SignalTrend("unknown", math.nan, math.nan, math.nan, band)
    logs = np.log(values)
    depth = np.arange(1.0, len(values) + 1)
    slope, line_error = _fit(depth, logs)
    # a gradient falls as a power of the depth counted from the input, its far end
    fits = [_fit(np.log(depth + shift), logs) for shift in _SHIFTS]
    fits += [_fit(-np.log(depth[::-1] + shift), logs) for shift in _SHIFTS]
    exponent, power_error = min(fits, key=lambda fit: fit[1])
    is_power = power_error < line_error and abs(exponent) <= LARGEST_EXPONENT
    error = power_error if is_power else line_error
    # A law has to explain most of what varies with depth, or leave no more than chance.
    is_law = error <= max(UNEXPLAINED * logs.var(), chance**2) * len(logs)
    # a random walk covers four times its final spread once in 4,000 times
    is_level = (
        abs(slope) * (len(values) - 1) <= 3 * chance and np.ptp(logs) <= 4 * chance
    )
    if is_level:
        kind = "constant"
    elif is_law:
        kind = "power_law" if is_power else "exponential"
    else:
        kind = "irregular"
    return SignalTrend(
        kind,
        math.exp(slope),
        exponent,
        change=_exp(logs[-1] - logs[0]),
        band=band,
        extent=_exp(np.ptp(logs)),
    )


def _exp(logarithm: float) -> float:
    return math.exp(np.clip(logarithm, -700, 700))


def signal_verdict(value: float, reference: float, spread: float = 0.0) -> str:
    """Judge the variance at a layer against that at a reference layer.

    Example:
    >>> from keras_dlbasic.analysis.activations.propagation import signal_verdict
    >>> signal_verdict(1e-9, 1.0), signal_verdict(0.3, 1.0)
    ('vanishing', 'ok')
    """
    if not math.isfinite(value) or not math.isfinite(reference):
        return "non_finite"
    if value == 0:
        return "zero"
    if reference == 0:
        return "ok"
    change = math.log(value) - math.log(reference)
    if abs(change) <= max(math.log(LIVELY), 3 * spread):
        return "ok"
    if change < 0:
        return "vanishing" if change < math.log(GONE) else "shrinking"
    return "exploding" if change > -math.log(GONE) else "growing"


_UNKNOWN_CAUSE = (
    "Likely cause: not the size of inputs or kernels, as far as they are known. To "
    "try: normalization layers, or `kd.remedies.lsuv(model, x)`, which gives each "
    "layer unit variance."
)


def _about_inputs(scale: float) -> str:
    low, high = SCALED_INPUTS
    if not math.isfinite(scale) or low <= scale <= high:
        return ""
    return (
        "Likely cause: the inputs are not scaled; they have a root mean square of "
        f"{scale:.2g} instead of about 1. Remedy: standardize them, or put a "
        "`keras.layers.Normalization` layer, adapted to the training data, first."
    )


def _about_kernels(layers: Sequence[LayerSignal]) -> str:
    known = [layer for layer in layers if math.isfinite(layer.kernel_scale)]
    low, high = FITTING_KERNELS
    wrong = [layer for layer in known if not low <= layer.kernel_scale <= high]
    if 2 * len(wrong) < max(len(known), 1):
        return ""
    scale = float(np.median([layer.kernel_scale for layer in wrong]))
    activations = list(dict.fromkeys(layer.activation or "linear" for layer in wrong))
    return (
        f"Likely cause: the kernels of {len(wrong)} of {len(known)} layers have "
        f"{scale:.2g} times the recommended size (median) for their activations "
        f"({', '.join(activations[:3])}); see `kd.initializers.for_activation`. "
        "Remedy: `kd.remedies.initialize(model)`, which chooses the initializer of "
        "each layer, or `kd.remedies.lsuv(model, x)`, which scales the kernels on "
        "data."
    )


_SHIFTS = (0, 1, 2, 3, 5)

_VERDICTS = (
    "ok",
    "growing",
    "shrinking",
    "exploding",
    "vanishing",
    "zero",
    "non_finite",
)


def _fit(x: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    slope, intercept = np.polyfit(x, y, 1)
    return float(slope), float(np.sum((y - slope * x - intercept) ** 2))


def _direction(sign: float) -> str:
    return "falling" if sign < 0 else "rising"
