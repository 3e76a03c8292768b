"""Error against the size of the training set."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes

from keras_dlbasic._display import plot_of
from keras_dlbasic._wrong_arguments import names_nearest
from keras_dlbasic.analysis.experiments.sample_size_result import SampleSizeResult
from keras_dlbasic.plots.axes import axes_or_new, say_empty
from keras_dlbasic.plots.given import result_of
from keras_dlbasic.plots.interval_points import (
    check_measure,
    draw_training_and_held_out,
)


@names_nearest
def plot_learning_curve(
    result: SampleSizeResult, *, measure: str = "error", ax: Axes | None = None
) -> Axes:
    """Draw training and held-out error against sample size (scikit-learn's sense).

    Points are means over seeds with 95 % intervals. The line is the power law fitted to
    the held-out errors, with its uncertainty; the dashed part extrapolates it to twice
    the data.

    Args:
        result: The result of `studies.SampleSizeStudy(...).run()`.
        measure: `"error"` (default) or `"loss"`.
        ax: Axes to draw on. Defaults to None: a new figure.

    Returns:
        The axes.

    Raises:
        ValueError: If `measure` is something else.

    Example:
    >>> import keras_dlbasic as kd
    >>> trials = [
    ...     kd.records.TrialResult(
    ...         {"size": n, "seed": 0},
    ...         values={"val_error": 3 * n**-0.5, "train_error": 0.01},
    ...     )
    ...     for n in (50, 100, 200, 400)
    ... ]
    >>> ax = kd.plots.plot_learning_curve(kd.analysis.SampleSizeResult(trials))
    """
    result = result_of(result, SampleSizeResult)
    check_measure(measure)
    ax = axes_or_new(ax, figsize=(7, 4.4))
    ax.set_title("Learning curve")
    held_out = result.intervals(f"val_{measure}")
    if not any(interval.n for interval in held_out.values()):
        return say_empty(ax, "no trial finished")
    colors = plt.rcParams["axes.prop_cycle"].by_key()["color"]
    places = {size: float(size) for size in result.sizes}
    draw_training_and_held_out(ax, result, measure, places, line="")
    _draw_law(ax, result, measure, colors[0])
    ax.set_xscale("log")
    sizes = [*result.sizes, 2 * result.sizes[-1]]
    ax.set_xticks(sizes, [f"{size}" for size in sizes])
    ax.minorticks_off()
    ax.set_ylim(bottom=0)
    ax.set_xlabel("training samples")
    ax.set_ylabel(measure)
    ax.legend(loc="best")
    return ax


plot_of.register(SampleSizeResult, plot_learning_curve)


def _draw_law(ax: Axes, result: SampleSizeResult, measure: str, color: str) -> None:
    law = result.power_law(f"val_{measure}")
    if law is None:
        return
    last = result.sizes[-1]
    label = f"{law.floor:.2g} + {law.factor:.2g} n$^{{-{law.exponent:.2f}}}$"
    # Solid over the sizes that were measured, dashed where the law only predicts.
    for low, high, style, name in (
        (result.sizes[0], last, "-", label),
        (last, 2 * last, "--", None),
    ):
        n = np.geomspace(low, high, 40)
        ax.plot(n, law(n), style, color=color, lw=1.2, label=name)
    n = np.geomspace(last, 2 * last, 20)
    ends = [law.predict(float(at)) for at in n]
    ax.fill_between(
        n,
        [end.low for end in ends],
        [end.high for end in ends],
        color=color,
        alpha=0.15,
        lw=0,
        label="twice the data, 95 %",
    )
