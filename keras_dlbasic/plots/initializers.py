"""Xavier and He initialization through the depth of a network, on one axis."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes

from keras_dlbasic._wrong_arguments import names_nearest
from keras_dlbasic.analysis.activations.table import ACTIVATIONS
from keras_dlbasic.plots.axes import axes_or_new

VARIANCES = {"Xavier": 1.0, "He": 2.0}
"""Variance of the weights, times the number of units, where layers are equally wide."""


@names_nearest
def plot_initializers(
    activation: str = "relu",
    *,
    depth: int = 30,
    width: int = 256,
    seed: int = 0,
    ax: Axes | None = None,
) -> Axes:
    """Draw signals through many layers with Xavier and He initialization.

    Random inputs pass through a stack of dense layers with random weights, in NumPy.
    With ReLU, Xavier initialization halves the mean square at each layer and He
    initialization keeps it; With tanh and Xavier initialization it falls slowly.

    Args:
        activation: Name of an element-wise activation. Defaults to `"relu"`.
        depth: Number of layers. Defaults to 30.
        width: Number of units of each layer. Defaults to 256.
        seed: Seed of inputs and weights. Defaults to 0.
        ax: Axes to draw on. Defaults to None: a new figure.

    Returns:
        The axes. They show the mean square of each layer's outputs, relative to that of
        the inputs.

    Raises:
        ValueError: If the activation is unknown or not element-wise (such as softmax).

    Reference:
        Glorot & Bengio (2010), Understanding the difficulty of training deep
        feedforward neural networks. He, Zhang, Ren & Sun (2015), Delving deep into
        rectifiers.

    Example:
    >>> import keras_dlbasic as kd
    >>> ax = kd.plots.plot_initializers("tanh", depth=10, width=64)
    """
    known = ACTIVATIONS.get(activation)
    if known is None or known.slope is None:
        able = sorted(n for n, a in ACTIVATIONS.items() if a.slope is not None)
        raise ValueError(f"`activation` must be one of {able}. Received: {activation}")
    ax = axes_or_new(ax)
    for (name, variance), marker in zip(VARIANCES.items(), "os", strict=True):
        sizes = _through(known.value, variance, depth, width, seed)
        ax.semilogy(range(depth + 1), sizes, marker=marker, ms=4, label=name)
    ax.set(xlabel="layer, 0 is the input", ylabel="mean square of the outputs")
    ax.set_title(f"Signals through {depth} layers of {width} units, {activation}")
    ax.legend()
    return ax


def _through(
    function: Any, variance: float, depth: int, width: int, seed: int
) -> list[float]:
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(width, width))
    sizes = [float(np.mean(values**2))]
    for _ in range(depth):
        weights = np.sqrt(variance / width) * rng.normal(size=(width, width))
        values = function(values @ weights)
        sizes.append(float(np.mean(values**2)))
    return [size / sizes[0] for size in sizes]
