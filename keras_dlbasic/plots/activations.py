"""Activation functions: value, slope and where they saturate."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np

from keras_dlbasic._wrong_arguments import names_nearest
from keras_dlbasic.analysis.activations.table import ACTIVATIONS
from keras_dlbasic.plots.axes import legend_beside, panels_or_new

USUAL = ("sigmoid", "tanh", "relu", "leaky_relu", "elu", "gelu")


@names_nearest
def plot_activations(
    names: Sequence[str] = USUAL, *, ax: np.ndarray | None = None
) -> np.ndarray:
    """Draw activation functions and their slopes.

    In the lower panel, lines are thick where the function is not saturated: where its
    slope is at least 5 % of its maximum. The legend names the matching initializer with
    its gain.

    Args:
        names: Names of element-wise activations. Defaults to six common ones.
        ax: Array of two axes to draw on. Defaults to None: a new figure.

    Returns:
        The array of two axes: values, slopes.

    Raises:
        ValueError: If a name is unknown, if a function is not element-wise (such as
            softmax), or if `ax` is not two axes.

    Example:
    >>> import keras_dlbasic as kd
    >>> axes = kd.plots.plot_activations(["tanh", "relu"])
    """
    wrong = [n for n in names if n not in ACTIVATIONS or ACTIVATIONS[n].slope is None]
    if wrong:
        able = sorted(n for n, a in ACTIVATIONS.items() if a.slope is not None)
        raise ValueError(
            f"There is no curve to draw of {wrong}. Expected names out of {able}."
        )
    axes = panels_or_new(ax, 2, 1, sharex=True, figsize=(7.2, 5.6)).ravel()
    z = np.linspace(-5, 5, 1001)
    colors = plt.rcParams["axes.prop_cycle"].by_key()["color"]
    for number, name in enumerate(names):
        activation = ACTIVATIONS[name]
        assert activation.slope is not None
        law = "Xavier" if activation.initializer == "xavier" else "He"
        style = {
            "color": colors[number % len(colors)],
            "ls": ("-", "--", ":", "-.")[number // len(colors) % 4],
        }
        label = f"{name} ({law}, gain {activation.gain:.3g})"
        axes[0].plot(z, activation.value(z), label=label, **style)
        slope = activation.slope(z)
        low, high = activation.saturation
        active = (z >= (low if low is not None else -np.inf)) & (
            z <= (high if high is not None else np.inf)
        )
        # A thin line everywhere, and a thick one over it where the activation is not
        # saturated.
        axes[1].plot(z, slope, lw=0.8, **style)
        axes[1].plot(z, np.where(active, slope, np.nan), lw=2.4, **style)
    axes[0].set_ylim(-2.1, 4.0)
    axes[0].set_title("Activation functions")
    axes[0].set_ylabel("value")
    axes[1].set_ylabel("slope (thin: saturated)")
    axes[1].set_xlabel("pre-activation")
    legend_beside(axes[0])
    return axes
