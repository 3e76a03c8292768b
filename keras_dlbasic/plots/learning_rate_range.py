"""The losses of a range test."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes

from keras_dlbasic._display import plot_of
from keras_dlbasic._wrong_arguments import names_nearest
from keras_dlbasic.analysis import LearningRateRange
from keras_dlbasic.plots.axes import axes_or_new, say_empty
from keras_dlbasic.plots.given import result_of


@names_nearest
def plot_learning_rate_range(
    result: LearningRateRange, *, ax: Axes | None = None
) -> Axes:
    """Draw the loss of a range test over the learning rate, with the suggestion.

    Args:
        result: The result of `studies.LearningRateRangeTest(...).run()`.
        ax: Axes to draw on. Defaults to None: a new figure.

    Returns:
        The axes.

    Example:
    >>> import numpy as np
    >>> import keras_dlbasic as kd
    >>> rate = np.geomspace(1e-5, 1, 50)
    >>> found = kd.analysis.judge_learning_rates(rate, 1 - 0.5 / (1 + 1e-2 / rate))
    >>> ax = kd.plots.plot_learning_rate_range(found)
    """
    result = result_of(result, LearningRateRange)
    ax = axes_or_new(ax)
    ax.set_title("Learning-rate range test")
    ax.set_xlabel("learning rate")
    ax.set_ylabel("batch loss")
    finite = np.isfinite(result.smoothed)
    if not finite.any():
        return say_empty(ax, "the loss was never finite")
    colors = plt.rcParams["axes.prop_cycle"].by_key()["color"]
    ax.set_xscale("log")
    rate = result.learning_rate
    ax.plot(rate, result.loss, ".", color=colors[0], alpha=0.35, label="each batch")
    ax.plot(rate[finite], result.smoothed[finite], color=colors[0], label="smoothed")
    seen = result.smoothed[finite & (rate <= (result.diverged or rate[-1]))]
    low, high = float(np.min(seen)), float(np.max(seen))
    room = 0.25 * (high - low or 1.0)
    ax.set_ylim(low - room, high + 2 * room)  # what diverges would hide the rest
    for value, color, style, text in (
        (result.suggestion, colors[2], "-", "suggested"),
        (result.diverged, colors[3], "--", "too high from"),
    ):
        if value is not None:
            ax.axvline(value, color=color, ls=style, label=f"{text} {value:.2g}")
    ax.legend()
    return ax


plot_of.register(LearningRateRange, plot_learning_rate_range)
