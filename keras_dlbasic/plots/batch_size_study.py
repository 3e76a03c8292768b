"""What the batch size does."""

from __future__ import annotations

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes

from keras_dlbasic._display import plot_of
from keras_dlbasic._wrong_arguments import names_nearest
from keras_dlbasic.analysis import BatchSizeResult
from keras_dlbasic.analysis.experiments.comparison import mean_interval
from keras_dlbasic.plots.axes import panels_or_new, say_empty
from keras_dlbasic.plots.given import result_of
from keras_dlbasic.plots.log_ticks import few_log_ticks

REGIMES = {
    "full": "full-batch",
    "mini": "mini-batch",
    "single": "one sample",
}
PANELS = ("updates", "samples", "seconds")


@names_nearest
def plot_batch_size_study(result: BatchSizeResult, *, ax: Any = None) -> Any:
    """Draw loss against updates, samples and seconds, and speed against noise.

    Lines are means over seeds; areas show the range over seeds. In the last panel, the
    cross of a batch size shows its 95 % intervals. If trials ran in parallel, times are
    not drawn.

    Args:
        result: The result of `studies.BatchSizeStudy(...).run()`.
        ax: An array of four axes. Defaults to None: a new figure.

    Returns:
        The array of axes.

    Raises:
        ValueError: If `ax` does not have four axes.

    Example:
    >>> import numpy as np
    >>> import keras_dlbasic as kd
    >>> updates = np.arange(11.0)
    >>> trials = [
    ...     kd.records.TrialResult(
    ...         {"batch_size": size, "seed": seed},
    ...         values={
    ...             "curve_updates": updates, "curve_samples": updates * size,
    ...             "curve_seconds": updates, "curve_loss": 1 - 0.1 * updates,
    ...             "updates_per_second": 1.0, "loss_jitter": 1 / size,
    ...         },
    ...     )
    ...     for size in (8, 32) for seed in (0, 1)
    ... ]
    >>> result = kd.analysis.BatchSizeResult(trials, rows=100, target_loss=0.5)
    >>> axes = kd.plots.plot_batch_size_study(result)
    """
    result = result_of(result, BatchSizeResult)
    panels = panels_or_new(ax, 2, 2, figsize=(10.5, 7.6))
    axes = panels.ravel()
    colors = dict(
        zip(result.batch_sizes, _colors(len(result.batch_sizes)), strict=True)
    )
    for panel, unit in zip(axes, PANELS, strict=False):
        _draw_loss(panel, result, unit, colors)
    _draw_plane(axes[3], result, colors)
    axes[0].legend(title="batch size")
    return panels


plot_of.register(BatchSizeResult, plot_batch_size_study)


def _colors(n: int) -> list[Any]:
    cycle = plt.rcParams["axes.prop_cycle"].by_key()["color"]
    return [cycle[place % len(cycle)] for place in range(n)]


def _label(result: BatchSizeResult, size: int) -> str:
    return f"{size} ({REGIMES[result.regime(size)]})"


def _draw_loss(
    ax: Axes, result: BatchSizeResult, unit: str, colors: dict[int, Any]
) -> None:
    ax.set_title(f"Loss against {unit}")
    if unit == "seconds" and not result.times_comparable:
        say_empty(ax, "times are not compared:\ntrials ran in parallel")
        return
    for size in result.batch_sizes:
        curves = [
            (
                np.asarray(t.values[f"curve_{unit}"], np.float64),
                np.asarray(t.values["curve_loss"], np.float64),
            )
            for t in result.trials
            if t.settings["batch_size"] == size and len(t.values.get("curve_loss", ()))
        ]
        if not curves:
            ax.plot([], [], color=colors[size], label=f"{size} (no trial finished)")
            continue
        # seeds pause at the same updates, but for budgets in seconds and divergence
        n = min(len(places) for places, _ in curves)
        places = np.mean([p[:n] for p, _ in curves], axis=0)
        losses = np.array([loss[:n] for _, loss in curves])
        shown = places > 0
        ax.plot(
            places[shown],
            losses.mean(axis=0)[shown],
            color=colors[size],
            marker="o",
            ms=2.5,
            label=_label(result, size),
        )
        ax.fill_between(
            places[shown],
            losses.min(axis=0)[shown],
            losses.max(axis=0)[shown],
            color=colors[size],
            alpha=0.18,
            lw=0,
        )
    if np.isfinite(result.target_loss):
        ax.axhline(result.target_loss, color="0.5", lw=0.8, ls="--")
        ax.annotate(
            "target",
            (0.0, result.target_loss),
            xycoords=("axes fraction", "data"),
            xytext=(3, 3),
            textcoords="offset points",
            fontsize=8,
        )
    _log_axes(ax)
    ax.set_xlabel("seconds of training" if unit == "seconds" else unit)
    ax.set_ylabel("training loss")


def _draw_plane(ax: Axes, result: BatchSizeResult, colors: dict[int, Any]) -> None:
    ax.set_title("Speed of an update against steadiness")
    if not result.times_comparable:
        say_empty(ax, "times are not compared:\ntrials ran in parallel")
        return
    speeds = result.values("updates_per_second")
    jitters = result.values("loss_jitter")
    drawn = False
    for place, size in enumerate(result.batch_sizes):
        x = mean_interval(speeds[size], log=True)
        y = mean_interval(jitters[size], log=True)
        if not (x.n and y.n):
            continue
        drawn = True
        ax.errorbar(
            x.mean,
            y.mean,
            xerr=[[_arm(x.mean - x.low)], [_arm(x.high - x.mean)]],
            yerr=[[_arm(y.mean - y.low)], [_arm(y.high - y.mean)]],
            color=colors[size],
            marker="o",
            capsize=3,
        )
        ax.annotate(
            f"{REGIMES[result.regime(size)]}\n{size}",
            (x.mean, y.mean),
            xytext=(7, 7 if place % 2 else -24),
            textcoords="offset points",
            fontsize=8.5,
            color=colors[size],
        )
    if not drawn:
        say_empty(ax, "too few updates to tell how steady they are")
        return
    _log_axes(ax)
    ax.margins(0.22)
    ax.invert_yaxis()
    ax.set_xlabel("updates a second (faster to the right)")
    ax.set_ylabel("jitter of the batch loss (steadier upwards)")


def _log_axes(ax: Axes) -> None:
    """Take logarithmic scales, with few numbers beside the powers of ten."""
    ax.set_xscale("log")
    ax.set_yscale("log")
    for axis in (ax.xaxis, ax.yaxis):
        few_log_ticks(axis)


def _arm(length: float) -> float:
    # An interval from one seed has no ends, and no arms are drawn for it.
    return length if np.isfinite(length) else 0.0
