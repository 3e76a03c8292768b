"""What closes the gap, and what it costs."""

from __future__ import annotations

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes

from keras_dlbasic._display import plot_of
from keras_dlbasic._wrong_arguments import names_nearest
from keras_dlbasic.analysis import RemedyResult
from keras_dlbasic.analysis.experiments.remedy_result import UNTREATED
from keras_dlbasic.plots.axes import panels_or_new, say_empty
from keras_dlbasic.plots.given import result_of

WHAT = {
    "classes": "share of wrong classes",
    "labels": "share of wrong labels",
    "numbers": "squared error / variance",
}


@names_nearest
def plot_remedy_study(result: RemedyResult, *, ax: Any = None) -> Any:
    """Draw the errors with each remedy, the differences, and the costs.

    Left: training error (hollow) and held-out error (filled), with the gap between them
    and 95 % intervals over seeds. Middle: held-out error minus that of the untreated
    model (paired), with simultaneous intervals; significant differences are colored.
    Right: training and inference time, as multiples of the untreated model's.

    Args:
        result: The result of `studies.RemedyStudy(...).run()`.
        ax: An array of three axes. Defaults to None: a new figure.

    Returns:
        The array of axes.

    Raises:
        ValueError: If `ax` does not have three axes.

    Example:
    >>> import numpy as np
    >>> import keras_dlbasic as kd
    >>> trials = [
    ...     kd.records.TrialResult(
    ...         {"remedy": remedy, "strength": None, "seed": seed},
    ...         values={
    ...             "kind": "classes", "train_error": 0.0, "val_error": 0.2,
    ...             "row_errors": np.eye(5)[seed], "row_brier": np.eye(5)[seed],
    ...             "training_seconds": 1.0, "inference_seconds": 0.1,
    ...         },
    ...     )
    ...     for remedy in ("untreated", "L2") for seed in range(3)
    ... ]
    >>> result = kd.analysis.RemedyResult(trials, names={})
    >>> axes = kd.plots.plot_remedy_study(result)
    """
    result = result_of(result, RemedyResult)
    arms = _ordered(result)
    size = (12.5, 1.6 + 0.36 * len(arms))
    widths = (1.2, 1.1, 0.9)
    panels = panels_or_new(ax, 1, 3, figsize=size, sharey=True, width_ratios=widths)
    axes = panels.ravel()
    _draw_errors(axes[0], result, arms)
    _draw_differences(axes[1], result, arms)
    _draw_costs(axes[2], result, arms)
    best = result.recommendation.remedy
    labels = [f"{arm}  ◀" if arm == best else arm for arm in arms]
    axes[0].set_yticks(range(len(arms)), labels)
    # bold besides the arrow, since a long list is skimmed
    for label, arm in zip(axes[0].get_yticklabels(), arms, strict=True):
        label.set_fontweight("bold" if arm in (best, UNTREATED) else "normal")
    for axis in axes:
        axis.set_ylim(len(arms) - 0.4, -1.4)  # with a row for the legends
    return panels


plot_of.register(RemedyResult, plot_remedy_study)


def _ordered(result: RemedyResult) -> list[str]:
    """Return the untreated arm, then the others by held-out error."""
    errors = result.values("val_error")
    means = {a: float(v.mean()) if len(v) else np.inf for a, v in errors.items()}
    rest = sorted((a for a in result.arms if a != UNTREATED), key=lambda a: means[a])
    return [arm for arm in (UNTREATED, *rest) if arm in result.arms]


def _colors() -> list[Any]:
    cycle: list[Any] = plt.rcParams["axes.prop_cycle"].by_key()["color"]
    return cycle


def _draw_errors(ax: Axes, result: RemedyResult, arms: list[str]) -> None:
    color = _colors()[0]
    held_out, training = result.values("val_error"), result.values("train_error")
    for place, arm in enumerate(arms):
        if not len(held_out[arm]):
            ax.text(
                0.02,
                place,
                "failed",
                va="center",
                transform=ax.get_yaxis_transform(),
                alpha=0.7,
            )
            continue
        # A bar from training to held-out error: its length is the gap.
        low = float(training[arm].mean())
        interval = result.interval(arm)
        ax.plot([low, interval.mean], [place, place], color=color, lw=3, alpha=0.25)
        ax.plot(low, place, "o", mfc="none", color=color)
        _draw_interval(ax, interval, place, color)
    ax.plot([], [], "o", mfc="none", color=color, label="training")
    ax.plot([], [], "o", color=color, label="held-out")
    base = held_out.get(UNTREATED, np.array([]))
    if len(base):
        ax.axvline(float(base.mean()), color="0.5", lw=0.8, ls="--")
    ax.legend(loc="upper right", ncol=2, borderaxespad=0.1)
    ax.set_xlim(left=min(0.0, ax.get_xlim()[0]))
    ax.set_title("Error and gap")
    ax.set_xlabel(WHAT[result.kind])


def _draw_differences(ax: Axes, result: RemedyResult, arms: list[str]) -> None:
    better, worse = _colors()[2], _colors()[1]
    ax.set_title("Change of the held-out error")
    ax.set_xlabel("difference to untreated (better to the left)")
    ax.axvline(0, color="0.5", lw=0.8, ls="--")
    finite = {
        arm: found
        for arm, found in result.differences.items()
        if np.isfinite(found.interval.high)
    }
    if not finite:
        ax.text(
            0.5,
            0.5,
            "one seed has no intervals"
            if result.differences
            else "nothing to compare with",
            ha="center",
            transform=ax.transAxes,
        )
        return
    for place, arm in enumerate(arms):
        found = finite.get(arm)
        if found is None:
            continue
        color = "0.5"
        if found.is_lower or found.is_higher:
            color = better if found.is_lower else worse
        _draw_interval(ax, found.interval, place, color)


def _draw_costs(ax: Axes, result: RemedyResult, arms: list[str]) -> None:
    ax.set_title("Cost")
    if not result.times_comparable:
        ax.set_xlabel("times are not compared")
        ax.set_xticks([])
        return
    table = result.table()
    rows = {arm: place for place, arm in enumerate(table["remedy"])}
    values = []
    for name, marker, color, label in (
        ("training_time", "s", _colors()[3], "training"),
        ("inference_time", "^", _colors()[4], "inference"),
    ):
        x = [float(np.asarray(table[name])[rows[arm]]) for arm in arms]
        values += [value for value in x if np.isfinite(value)]
        ax.plot(x, range(len(arms)), marker, color=color, label=label)
    if not values:
        say_empty(ax, "no times")
        return
    ax.axvline(1, color="0.5", lw=0.8, ls="--")
    ax.set_xscale("log")
    low, high = min(0.5, *values) / 1.2, max(2.0, *values) * 1.2
    ax.set_xlim(low, high)
    # On a logarithmic axis matplotlib would label powers of ten only, while times
    # between 0.5 and 2 are what matters.
    ticks = [t for t in (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100) if low <= t <= high]
    ax.set_xticks(ticks, [f"{t:g}" for t in ticks])
    ax.minorticks_off()
    ax.set_xlabel("time, untreated = 1")
    ax.legend(loc="upper right", ncol=2, borderaxespad=0.1)


def _draw_interval(ax: Axes, interval: Any, place: int, color: str) -> None:
    ends = interval.mean - interval.low, interval.high - interval.mean
    error = [[end if np.isfinite(end) else 0.0] for end in ends]
    ax.errorbar(interval.mean, place, xerr=error, fmt="o", color=color, capsize=2.5)
