"""Error against the number of parameters."""

from __future__ import annotations

import matplotlib.pyplot as plt
from matplotlib.axes import Axes

from keras_dlbasic._display import plot_of
from keras_dlbasic._wrong_arguments import names_nearest
from keras_dlbasic.analysis.experiments.capacity_result import CapacityResult
from keras_dlbasic.plots.axes import axes_or_new, say_empty
from keras_dlbasic.plots.given import result_of
from keras_dlbasic.plots.interval_points import (
    check_measure,
    draw_training_and_held_out,
)
from keras_dlbasic.plots.log_ticks import few_log_ticks

MOST_NAMES = 12


@names_nearest
def plot_capacity(
    result: CapacityResult, *, measure: str = "error", ax: Axes | None = None
) -> Axes:
    """Draw training and held-out error against the number of parameters.

    Points are means over seeds with 95 % intervals, labeled by size. Marked are the
    size with the lowest held-out error, the smallest size that fits all training data,
    and the size at which that is expected (parameters = samples x outputs). The peak of
    double descent is near the latter.

    Args:
        result: The result of `studies.CapacityStudy(...).run()`.
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
    ...         {"size": size, "seed": 0},
    ...         values={"val_error": error, "train_error": 0, "parameters": 9 * size},
    ...     )
    ...     for size, error in ((1, 0.4), (2, 0.2), (4, 0.3))
    ... ]
    >>> ax = kd.plots.plot_capacity(kd.analysis.CapacityResult(trials))
    """
    result = result_of(result, CapacityResult)
    check_measure(measure)
    ax = axes_or_new(ax, figsize=(7.4, 4.6))
    by = result.about.get("by", "size")
    ax.set_title(f"Capacity, by {by}")
    parameters = result.parameters
    if not parameters:
        return say_empty(ax, "no trial finished")
    colors = plt.rcParams["axes.prop_cycle"].by_key()["color"]
    draw_training_and_held_out(ax, result, measure, parameters, line="-")
    _name_sizes(ax, result, measure)
    _mark(ax, result, measure, colors)
    ax.set_xscale("log")
    few_log_ticks(ax.xaxis)
    ax.set_ylim(bottom=0)
    ax.set_xlabel("trainable parameters")
    ax.set_ylabel(measure)
    ax.legend(loc="best")
    return ax


plot_of.register(CapacityResult, plot_capacity)


def _name_sizes(ax: Axes, result: CapacityResult, measure: str) -> None:
    found = [(s, i) for s, i in result.intervals(f"val_{measure}").items() if i.n]
    # Of many sizes only some are named, and the best one in any case.
    step = -(-len(found) // MOST_NAMES)
    for place, (size, interval) in enumerate(found):
        if place % step == 0 or size == result.best:
            ax.annotate(
                f"{size:g}",
                (result.parameters[size], interval.mean),
                xytext=(5, 5),
                textcoords="offset points",
                fontsize=8.5,
                fontweight="bold" if size == result.best else "normal",
            )


def _mark(ax: Axes, result: CapacityResult, measure: str, colors: list[str]) -> None:
    by = result.about.get("by", "size")
    low, high = min(result.parameters.values()), max(result.parameters.values())
    fitted, expected = result.interpolates_from, result.threshold
    if fitted is not None:
        ax.axvspan(
            result.parameters[fitted],
            high * 1.3,
            color="0.5",
            alpha=0.12,
            lw=0,
            label="fits all training data",
        )
    if expected is not None and low / 3 <= expected <= high * 3:
        ax.axvline(expected, color="0.5", lw=0.9, ls="--", label="samples x outputs")
    if result.best is not None:
        held_out = result.intervals(f"val_{measure}")[result.best]
        ax.plot(
            result.parameters[result.best],
            held_out.mean,
            "*",
            ms=15,
            color=colors[2],
            label=f"lowest held-out error: {by} {result.best:g}",
        )
