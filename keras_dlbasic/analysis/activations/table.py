"""What is known of the activations of Keras: value, derivative, saturation, gain."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.polynomial.legendre import leggauss

Function = Callable[[Any], Any]

SATURATED_SLOPE = 0.05
"""A unit is saturated where its slope is below this share of the steepest one."""


@dataclass(frozen=True)
class Activation:
    """An activation function.

    Attributes:
        name: Keras' name of it.
        kind: `"s_shaped"` (levels off on both sides), `"rectifier"`, `"linear"` or
            `"output"` (meant for the last layer: couples the units of a layer).
        value: The function, on NumPy arrays.
        slope: Its derivative; None for those that couple units.
        initializer: `"xavier"` or `"he"`.
    """

    name: str
    kind: str
    value: Function
    slope: Function | None
    initializer: str

    @cached_property
    def gain(self) -> float:
        """Gain to give to the initializer; see `initializers.for_activation`."""
        # Near zero, an S-shaped function multiplies by its slope, which the gain
        # undoes.
        if self.kind == "s_shaped":
            assert self.slope is not None
            return 1.0 / float(self.slope(np.zeros(1))[0])
        if self.initializer == "xavier":
            return 1.0
        # He's law assumes that a rectifier halves the second moment of its inputs. The
        # gain corrects for what this function makes of it.
        if self.name == "glu":  # a * sigmoid(b) of independent a and b
            second_moment = gaussian_moments(_sigmoid)[0]
        else:
            second_moment = gaussian_moments(self.value)[0]
        return round(1.0 / math.sqrt(2.0 * second_moment), 12)

    @cached_property
    def saturation(self) -> tuple[float | None, float | None]:
        """Inputs below the first and above the second saturate; None: never.

        Where the slope stays below 5 % of the steepest one. For a rectifier the first
        is where it passes (nearly) nothing: what stays there for all data is dead.
        """
        if self.slope is None or self.kind == "linear":
            return None, None
        z = np.linspace(-30, 30, 60001)
        slope = np.abs(self.slope(z))
        steep = slope >= SATURATED_SLOPE * slope.max()
        if self.name == "exponential":
            return None, None
        low, high = z[steep][0], z[steep][-1]
        return (
            None if low <= -29.9 else round(float(low), 2) + 0.0,
            None if high >= 29.9 else round(float(high), 2) + 0.0,
        )


def gaussian_moments(function: Function, sigma: float = 1.0) -> tuple[float, float]:
    """Return `E[f(z)^2]` and `E[f(z)^4]` for z ~ N(0, sigma^2).

    By Gauss-Legendre quadrature over pieces, so that kinks do no harm.

    Example:
    >>> import numpy as np
    >>> from keras_dlbasic.analysis.activations.table import gaussian_moments
    >>> moments = gaussian_moments(lambda z: np.maximum(z, 0))
    >>> [round(moment, 6) for moment in moments]
    [0.5, 1.5]
    """
    # Gauss-Legendre quadrature on short pieces: it is inexact only where a function has
    # a kink, and most kinks fall on a border between pieces.
    nodes, weights = leggauss(16)
    edges = np.linspace(-12, 12, 97)
    half = (edges[1:] - edges[:-1])[:, None] / 2
    z = (edges[:-1, None] + half) + half * nodes
    mass = half * weights * np.exp(-(z**2) / 2) / math.sqrt(2 * math.pi)
    with np.errstate(over="ignore", invalid="ignore"):
        values = np.asarray(function((sigma * z).ravel()), np.float64).reshape(z.shape)
        return float(np.sum(mass * values**2)), float(np.sum(mass * values**4))


def is_s_shaped(function: Function) -> bool:
    """Return whether a function rises all along and levels off on both sides.

    Example:
    >>> import numpy as np
    >>> from keras_dlbasic.analysis.activations.table import is_s_shaped
    >>> is_s_shaped(np.arctan), is_s_shaped(lambda z: np.maximum(z, 0))
    (True, False)
    """
    z = np.array([-1e3, -9e2, -1e-2, 0.0, 1e-2, 9e2, 1e3])
    with np.errstate(over="ignore", invalid="ignore"):
        values = np.asarray(function(z), np.float64)
    if not np.isfinite(values).all():
        return False
    # Compare the slopes far out with those next to zero.
    far_left, _, left, right, _, far_right = np.diff(values) / np.diff(z)
    steep = min(left, right)
    rises = steep > 0 and (np.diff(values) >= -1e-6).all()
    return bool(rises and max(abs(far_left), abs(far_right)) < 1e-3 * steep)


# -- the functions -------------------------------------------------------------------


def _sigmoid(z: Any) -> Any:
    return 0.5 * (1.0 + np.tanh(0.5 * np.asarray(z, np.float64)))


def _softplus(z: Any) -> Any:
    return np.logaddexp(0.0, z)


def _between(z: Any, low: float, high: float) -> Any:
    return ((z > low) & (z < high)).astype(np.float64)


def _normal_cdf(z: Any) -> Any:
    from scipy.special import ndtr

    return ndtr(z)


def _normal_pdf(z: Any) -> Any:
    return np.exp(-(z**2) / 2) / math.sqrt(2 * math.pi)


def _negative_exp(z: Any) -> Any:
    return np.exp(np.minimum(z, 0.0))


def _mish_slope(z: Any) -> Any:
    tanh = np.tanh(_softplus(z))
    return tanh + z * (1 - tanh**2) * _sigmoid(z)


def _sparse_plus(z: Any) -> Any:
    return np.where(z <= -1, 0.0, np.where(z < 1, 0.25 * (z + 1) ** 2, z))


def _softmax(z: Any) -> Any:
    exponentials = np.exp(z - np.max(z, axis=-1, keepdims=True))
    return exponentials / exponentials.sum(axis=-1, keepdims=True)


def _log_softmax(z: Any) -> Any:
    shifted = z - np.max(z, axis=-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))


def _sparsemax(z: Any) -> Any:
    # Subtract the threshold at which the positive parts sum up to one (Martins &
    # Astudillo, 2016).
    ordered = -np.sort(-z, axis=-1)
    sums = np.cumsum(ordered, axis=-1) - 1
    ranks = np.arange(1, z.shape[-1] + 1)
    support = (ranks * ordered > sums).sum(axis=-1, keepdims=True)
    tau = np.take_along_axis(sums, support - 1, axis=-1) / support
    return np.maximum(z - tau, 0.0)


def _glu(z: Any) -> Any:
    left, right = np.split(z, 2, axis=-1)
    return left * _sigmoid(right)


_SELU_SCALE, _SELU_ALPHA = 1.0507009873554805, 1.6732632423543772


_S_SHAPED: dict[str, tuple[Function, Function]] = {
    "tanh": (np.tanh, lambda z: 1 - np.tanh(z) ** 2),
    "sigmoid": (_sigmoid, lambda z: _sigmoid(z) * (1 - _sigmoid(z))),
    "softsign": (lambda z: z / (1 + abs(z)), lambda z: 1 / (1 + abs(z)) ** 2),
    "hard_tanh": (lambda z: np.clip(z, -1, 1), lambda z: _between(z, -1, 1)),
    "hard_sigmoid": (
        lambda z: np.clip(z / 6 + 0.5, 0, 1),
        lambda z: _between(z, -3, 3) / 6,
    ),
    "sparse_sigmoid": (
        lambda z: np.clip(z / 2 + 0.5, 0, 1),
        lambda z: _between(z, -1, 1) / 2,
    ),
}

_RECTIFIERS: dict[str, tuple[Function, Function | None]] = {
    "relu": (lambda z: np.maximum(z, 0.0), lambda z: _between(z, 0, np.inf)),
    "relu6": (lambda z: np.clip(z, 0.0, 6.0), lambda z: _between(z, 0, 6)),
    "leaky_relu": (
        lambda z: np.where(z > 0, z, 0.2 * z),
        lambda z: np.where(z > 0, 1.0, 0.2),
    ),
    "elu": (
        lambda z: np.where(z > 0, z, _negative_exp(z) - 1),
        lambda z: np.where(z > 0, 1.0, _negative_exp(z)),
    ),
    "celu": (
        lambda z: np.where(z > 0, z, _negative_exp(z) - 1),
        lambda z: np.where(z > 0, 1.0, _negative_exp(z)),
    ),
    "selu": (
        lambda z: (
            _SELU_SCALE * np.where(z > 0, z, _SELU_ALPHA * (_negative_exp(z) - 1))
        ),
        lambda z: _SELU_SCALE * np.where(z > 0, 1.0, _SELU_ALPHA * _negative_exp(z)),
    ),
    "softplus": (_softplus, _sigmoid),
    "squareplus": (
        lambda z: (z + np.sqrt(z**2 + 4)) / 2,
        lambda z: (1 + z / np.sqrt(z**2 + 4)) / 2,
    ),
    "sparse_plus": (_sparse_plus, lambda z: np.clip(z / 2 + 0.5, 0, 1)),
    "silu": (
        lambda z: z * _sigmoid(z),
        lambda z: _sigmoid(z) * (1 + z * (1 - _sigmoid(z))),
    ),
    "hard_silu": (
        lambda z: z * np.clip(z / 6 + 0.5, 0, 1),
        lambda z: np.where(z >= 3, 1.0, _between(z, -3, 3) * (z / 3 + 0.5)),
    ),
    "gelu": (
        lambda z: z * _normal_cdf(z),
        lambda z: _normal_cdf(z) + z * _normal_pdf(z),
    ),
    "mish": (lambda z: z * np.tanh(_softplus(z)), _mish_slope),
    "exponential": (np.exp, np.exp),
    "log_sigmoid": (lambda z: -_softplus(-z), lambda z: _sigmoid(-z)),
    "hard_shrink": (
        lambda z: np.where(abs(z) > 0.5, z, 0.0),
        lambda z: (abs(z) > 0.5).astype(np.float64),
    ),
    "soft_shrink": (
        lambda z: np.sign(z) * np.maximum(abs(z) - 0.5, 0.0),
        lambda z: (abs(z) > 0.5).astype(np.float64),
    ),
    "tanh_shrink": (lambda z: z - np.tanh(z), lambda z: np.tanh(z) ** 2),
    "threshold": (lambda z: np.maximum(z, 0.0), lambda z: _between(z, 0, np.inf)),
    "glu": (_glu, None),
}
_RECTIFIERS["swish"] = _RECTIFIERS["silu"]
_RECTIFIERS["hard_swish"] = _RECTIFIERS["hard_silu"]

_OTHERS: dict[str, tuple[str, Function, Function | None]] = {
    "linear": ("linear", lambda z: z, np.ones_like),
    "softmax": ("output", _softmax, None),
    "log_softmax": ("output", _log_softmax, None),
    "sparsemax": ("output", _sparsemax, None),
}

ACTIVATIONS: dict[str, Activation] = {
    **{n: Activation(n, "s_shaped", *f, "xavier") for n, f in _S_SHAPED.items()},
    **{n: Activation(n, "rectifier", *f, "he") for n, f in _RECTIFIERS.items()},
    **{n: Activation(n, *f, "xavier") for n, f in _OTHERS.items()},
}
"""The activations that Keras knows by name, with Keras' default arguments."""
