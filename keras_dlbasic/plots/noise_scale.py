"""The gradient noise scale over a run."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes

from keras_dlbasic._display import plot_of
from keras_dlbasic._wrong_arguments import names_nearest
from keras_dlbasic.analysis import NoiseScaleCurve
from keras_dlbasic.plots.axes import axes_or_new, say_empty
from keras_dlbasic.plots.given import result_of


@names_nearest
def plot_noise_scale(curve: NoiseScaleCurve, *, ax: Axes | None = None) -> Axes:
    """Draw the gradient noise scale over the updates, beside the batch size in use.

    Points are averages over parts of the run, with 95 % intervals. An arrow means that
    the interval is unbounded above.

    Args:
        curve: The curve of a `studies.GradientNoiseScale`.
        ax: Axes to draw on. Defaults to None: a new figure.

    Returns:
        The axes.

    Example:
    >>> import numpy as np
    >>> import keras_dlbasic as kd
    >>> curve = kd.analysis.NoiseScaleCurve(np.arange(3), np.ones(3), np.ones(3))
    >>> ax = kd.plots.plot_noise_scale(curve)
    """
    curve = result_of(curve, NoiseScaleCurve)
    ax = axes_or_new(ax)
    ax.set_title("Gradient noise scale")
    blocks = [(s, b) for s, b in curve.blocks() if np.isfinite(b.value) and b.value > 0]
    if not blocks:
        return say_empty(ax, "no gradient stands out from the noise")
    colors = plt.rcParams["axes.prop_cycle"].by_key()["color"]
    steps = np.array([step for step, _ in blocks]) + 1
    values = np.array([b.value for _, b in blocks])
    # A logarithmic axis has no place for a lower end of zero, so it is cut. An upper
    # end without bound is drawn as an arrow.
    low = np.array([max(b.low, b.value / 1e3) for _, b in blocks])
    high = np.array([b.high for _, b in blocks])
    bounded = np.isfinite(high)
    top = np.where(bounded, high, values * 3)
    ax.errorbar(
        steps,
        values,
        yerr=[values - low, top - values],
        color=colors[0],
        marker="o",
        capsize=3,
        label="noise scale, 95 % interval",
    )
    ax.plot(steps[~bounded], top[~bounded], "^", color=colors[0])
    if np.isfinite(curve.batch_size):
        ax.axhline(curve.batch_size, color=colors[1], ls="--")
        ax.annotate(
            f"batch size in use: {curve.batch_size:g}",
            (1.0, curve.batch_size),
            xycoords=("axes fraction", "data"),
            xytext=(0, 3),
            textcoords="offset points",
            ha="right",
            color=colors[1],
        )
    overall = curve.overall()
    ax.set_title(
        f"Gradient noise scale: {overall.value:.3g} samples "
        f"({overall.low:.3g} to {overall.high:.3g})"
    )
    ax.set_yscale("log")
    ax.set_xlabel("update" + (f"\n{curve.caveat}" if curve.caveat else ""))
    ax.set_ylabel(f"samples ({curve.estimand})")
    ax.legend()
    return ax


plot_of.register(NoiseScaleCurve, plot_noise_scale)
