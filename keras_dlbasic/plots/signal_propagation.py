"""Signals and gradients along the depth of a network."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes

from keras_dlbasic._display import plot_of
from keras_dlbasic._wrong_arguments import names_nearest
from keras_dlbasic.analysis import LayerSignal, PropagationReport
from keras_dlbasic.plots.axes import (
    MOST_LINES,
    axes_or_new,
    legend_beside,
    say_empty,
)
from keras_dlbasic.plots.given import result_of
from keras_dlbasic.plots.layer_axis import label_layers

FLOOR = 1e-38


@names_nearest
def plot_signal_propagation(
    report: PropagationReport, *, ax: Axes | None = None
) -> Axes:
    """Draw the relative variances of signals and gradients by layer.

    Pre-activations and activations are drawn relative to those of the first layer with
    a kernel, gradients relative to those of the last one. The band is the range that is
    expected by chance (two standard deviations) for layers of these widths. Crosses
    mark layers whose verdict is not "ok".

    Args:
        report: The result of `propagation_report`.
        ax: Axes to draw on. Defaults to None: a new figure.

    Returns:
        The axes.

    Example:
    >>> import keras, numpy as np
    >>> import keras_dlbasic as kd
    >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, "relu")])
    >>> report = kd.propagation_report(model, np.eye(4))
    >>> ax = kd.plots.plot_signal_propagation(report)
    """
    report = result_of(report, PropagationReport)
    ax = axes_or_new(ax)
    ax.set_title("Signal propagation")
    layers = report.layers
    kernels = [i for i, layer in enumerate(layers) if np.isfinite(layer.fan_in)]
    if not kernels:
        return say_empty(ax, "no layer with a kernel in this report")
    # The reference of signals is the first hidden layer, that of gradients the last
    # one: from there each of them starts on its way.
    hidden = kernels[:-1] if len(kernels) > 2 else kernels
    first, last = hidden[0], hidden[-1]
    colors = plt.rcParams["axes.prop_cycle"].by_key()["color"]
    _band(ax, layers)
    size = 5 if len(layers) <= MOST_LINES else 2
    source = "loss" if report.gradient_source == "loss" else "noise"
    for name, reference, label, marker, color in (
        ("preactivation_variance", first, "pre-activations", "o", colors[0]),
        ("activation_variance", first, "activations", "^", colors[2]),
        ("gradient_variance", last, f"gradients, of {source}", "s", colors[1]),
    ):
        values = np.array([getattr(layer, name) for layer in layers])
        under = name == "preactivation_variance"  # else the activations would hide it
        style = {"marker": marker, "color": color, "ms": size}
        if under:
            style |= {"lw": 4.0, "alpha": 0.45, "ms": 1.6 * size}
        _relative(ax, values, values[reference], label, style)
    wrong = [i for i, layer in enumerate(layers) if layer.verdict != "ok"]
    if wrong:
        ax.plot(
            wrong,
            np.full(len(wrong), 0.02),
            "x",
            color=ax.xaxis.label.get_color(),
            ms=5,
            transform=ax.get_xaxis_transform(),
            clip_on=False,
            label="verdict not ok",
        )
    ax.set_yscale("log")
    low, high = ax.get_ylim()
    ax.set_ylim(min(low, 0.05), max(high, 20.0))
    label_layers(ax, [layer.layer for layer in layers])
    ax.set_ylabel("variance / that of the reference layer")
    legend_beside(ax)
    return ax


plot_of.register(PropagationReport, plot_signal_propagation)


def _relative(
    ax: Axes,
    values: np.ndarray,
    reference: float,
    label: str,
    style: dict[str, Any],
) -> None:
    usable = np.isfinite(values) & (values > FLOOR)
    if not usable.any() or not np.isfinite(reference) or reference <= FLOOR:
        ax.plot([], [], label=f"{label} (zero)", **style)
        return
    places = np.flatnonzero(usable)
    relative = values[usable] / reference
    ax.plot(places, relative, label=label, **style)


def _band(ax: Axes, layers: Sequence[LayerSignal]) -> None:
    spread = np.array([layer.spread for layer in layers])
    low, high = np.exp(-2 * spread), np.exp(2 * spread)
    ax.fill_between(
        np.arange(len(layers)),
        low,
        high,
        color=ax.xaxis.label.get_color(),
        alpha=0.12,
        lw=0,
        label="constant within chance\n(2 standard deviations)",
    )
