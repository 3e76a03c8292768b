"""Training and validation curves over the epochs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from keras_dlbasic._display import plot_of
from keras_dlbasic._wrong_arguments import names_nearest
from keras_dlbasic.analysis import (
    OverfittingVerdict,
    StoppingReport,
    detect_overfitting,
)
from keras_dlbasic.analysis.overfitting.epoch_rates import epoch_rates
from keras_dlbasic.plots.axes import say_empty
from keras_dlbasic.plots.given import any_record_of
from keras_dlbasic.records import TrainingRecord

EVALUATED = "evaluated_"

_NO_METRIC = ("epoch", "learning_rate", "lr", "global_gradient_norm")
_HIGH_RATIO = 50.0
_ALPHA = 0.13

SHARE_SPAN = 0.1
"""Least span of the axis of a metric from 0 to 1."""

LOSS_SPAN = 0.05
"""Least span of the axis of another quantity, relative to its level."""


@names_nearest
def plot_history(
    record: Any,
    *,
    ax: Axes | Sequence[Axes] | np.ndarray | None = None,
    metrics: Sequence[str] | None = None,
    verdict: OverfittingVerdict | None = None,
    report: StoppingReport | None = None,
) -> np.ndarray:
    """Draw training and validation curves, one panel per metric.

    The gap between the two curves is shaded. The first panel (the loss) shows the onset
    of overfitting and the best epoch. With `report` it also shows where and why
    training stopped.

    Args:
        record: A `TrainingRecord`, a Keras `History` or its dictionary, or the path of
            a CSV file or of a saved record.
        ax: Axes to draw on, one per panel. Defaults to None: a new figure.
        metrics: Names of the panels, without `val_`. Defaults to None: the loss and all
            metrics.
        verdict: A verdict, such as `OverfittingDetector.verdict`. Defaults to None:
            that of `analysis.detect_overfitting` on the curves.
        report: A report, such as `EarlyStoppingReport.report`. Defaults to None.

    Returns:
        Array of the axes, one per panel.

    Raises:
        TypeError: If `record` is none of these.
        ValueError: If a name in `metrics` is unknown, or the number of axes is wrong.

    Example:
    >>> import keras_dlbasic as kd
    >>> axes = kd.plots.plot_history({"loss": [3, 2, 1], "val_loss": [3, 2.5, 2.6]})
    >>> len(axes)
    1
    """
    record = any_record_of(record)
    epochs = record.epochs
    names = panels_of(epochs, metrics)
    axes = _axes(ax, max(len(names), 1))
    if not names:
        axes[0].set_title("History")
        say_empty(axes[0], "no epochs in this record")
        return axes
    verdict = _verdict(record) if verdict is None else verdict
    for panel, name in zip(axes, names, strict=True):
        _draw(panel, epochs, name)
        if verdict is not None and verdict.onset is not None:
            _mark_onset(panel, verdict, is_named=name == "loss")
        _mark_best(panel, epochs, name, report)
        if report is not None and report.last_epoch is not None:
            _mark_stop(panel, report)
        # Below the axes: inside, it would cover the curves that it is about.
        panel.legend(loc="upper center", bbox_to_anchor=(0.5, -0.16), ncols=2)
    return axes


plot_of.register(TrainingRecord, plot_history)


def panels_of(
    epochs: Mapping[str, np.ndarray], metrics: Sequence[str] | None
) -> list[str]:
    """Return the names of the panels, the loss first."""
    found = dict.fromkeys(
        name.removeprefix("val_")
        for name in epochs
        if name not in _NO_METRIC and not name.startswith(EVALUATED)
    )
    if metrics is None:
        return sorted(found, key=lambda name: name != "loss")
    missing = [name for name in metrics if name not in found]
    if missing:
        raise ValueError(f"`metrics` has {missing}; this record has {list(found)}.")
    return list(metrics)


def _axes(ax: Any, n: int) -> np.ndarray:
    if ax is None:
        width, height = plt.rcParams["figure.figsize"]
        # A further column or row adds less than a whole figure: a panel among others
        # may be smaller than a plot by itself.
        columns = min(n, 3)
        rows = -(-n // columns)
        size = (width * (1 + 0.7 * (columns - 1)), height * (1 + 0.85 * (rows - 1)))
        _, grid = plt.subplots(
            rows, columns, figsize=size, squeeze=False, layout="constrained"
        )
        for spare in grid.flat[n:]:
            spare.remove()
        return np.array(grid.flat[:n], dtype=object)
    given = np.atleast_1d(np.array(ax, dtype=object)).ravel()
    if len(given) != n:
        raise ValueError(
            f"`ax` must have one axes per panel, {n} here. Received: {len(given)}"
        )
    return given


def _verdict(record: TrainingRecord) -> OverfittingVerdict | None:
    epochs = record.epochs
    if "loss" not in epochs or "val_loss" not in epochs:
        return None
    loss = epochs.get(f"{EVALUATED}loss", epochs["loss"])
    return detect_overfitting(
        loss,
        epochs["val_loss"],
        epochs=epochs["epoch"],
        learning_rate=epoch_rates(record),
    )


def _draw(ax: Axes, epochs: Mapping[str, np.ndarray], name: str) -> None:
    colors = plt.rcParams["axes.prop_cycle"].by_key()["color"]
    numbers = epochs["epoch"] + 1
    ax.set_title(name.replace("_", " ").capitalize())
    ax.set_xlabel("epoch")
    ax.set_ylabel(name)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    for key, label, color, line in (
        (name, "training (running mean)", colors[0], "-"),
        (EVALUATED + name, "training (inference mode)", colors[0], "--"),
        ("val_" + name, "validation", colors[1], "-"),
    ):
        values = epochs.get(key)
        if values is None or not np.isfinite(values).any():
            continue
        known = np.isfinite(values)
        # A line needs two values next to each other: with `validation_freq`, or gaps,
        # single values would not be seen without markers.
        sparse = known.sum() < 3 or not known[: known.nonzero()[0][-1]].all()
        ax.plot(
            numbers[known],
            values[known],
            color=color,
            ls=line,
            marker="o" if sparse else None,
            ms=4,
            label=label,
        )
    _shade_gap(ax, epochs, name, numbers)
    _choose_scale(ax, epochs, name)
    _widen(ax, epochs, name)
    _mark_non_finite(ax, epochs, name)


def _shade_gap(
    ax: Axes, epochs: Mapping[str, np.ndarray], name: str, numbers: np.ndarray
) -> None:
    train = epochs.get(EVALUATED + name, epochs.get(name))
    val = epochs.get("val_" + name)
    if train is None or val is None:
        return
    known = np.isfinite(train) & np.isfinite(val)
    ax.fill_between(
        numbers[known],
        train[known],
        val[known],
        color=plt.rcParams["axes.prop_cycle"].by_key()["color"][1],
        alpha=_ALPHA,
        lw=0,
        label="gap",
    )


def _choose_scale(ax: Axes, epochs: Mapping[str, np.ndarray], name: str) -> None:
    """Take a logarithmic scale only if the validation loss itself needs one.

    On the scale of a training loss that goes to zero, its rise could not be seen.
    """
    values = epochs.get("val_" + name, epochs.get(name, np.zeros(0)))
    values = values[np.isfinite(values)]
    if name == "loss" and len(values) and 0 < _HIGH_RATIO * values.min() < values.max():
        ax.set_yscale("log")


def _widen(ax: Axes, epochs: Mapping[str, np.ndarray], name: str) -> None:
    """Let the axis span enough for small changes to look small.

    An accuracy that stays between 0.1000 and 0.1016 has not changed.
    """
    known = [
        epochs[key][np.isfinite(epochs[key])]
        for key in (name, EVALUATED + name, "val_" + name)
        if key in epochs
    ]
    values = np.concatenate([*known, []])
    if not len(values) or ax.get_yscale() == "log":
        return
    is_share = name != "loss" and values.min() >= 0 and values.max() <= 1
    least = SHARE_SPAN if is_share else LOSS_SPAN * float(np.median(np.abs(values)))
    low, high = ax.get_ylim()
    if high - low >= least:
        return
    middle = (low + high) / 2
    low, high = middle - least / 2, middle + least / 2
    if is_share:  # no axis of a share needs to leave it
        low, high = (low - min(low, 0.0), high - min(low, 0.0))
        low, high = (low - max(high - 1, 0.0), high - max(high - 1, 0.0))
    ax.set_ylim(low, high)


def _mark_non_finite(ax: Axes, epochs: Mapping[str, np.ndarray], name: str) -> None:
    wrong = epochs["epoch"][~np.isfinite(epochs.get(name, epochs["epoch"]))]
    # a run may be broken for thousands of epochs; one name in the legend is enough
    for number, epoch in enumerate(wrong[:50]):
        label = None if number else f"NaN or infinite from epoch {epoch + 1}"
        ax.axvline(epoch + 1, color="#D55E00", lw=0.8, ls=":", label=label)


def _mark_onset(ax: Axes, verdict: OverfittingVerdict, *, is_named: bool) -> None:
    assert verdict.onset is not None
    color = ax.xaxis.label.get_color()
    label = f"overfitting since epoch {verdict.onset + 1}" if is_named else None
    ax.axvline(verdict.onset + 1, color=color, lw=1.2, ls="--", label=label)


def _mark_best(
    ax: Axes,
    epochs: Mapping[str, np.ndarray],
    name: str,
    report: StoppingReport | None,
) -> None:
    """Mark the epoch that early stopping took for the best, or that of the lowest loss.

    The name of a metric does not say which way it gets better, so without a report
    all panels show the best epoch of the loss.
    """
    key = "val_" + name if "val_" + name in epochs else name
    values = epochs.get(key)
    if report is not None and report.best_epoch is not None:
        best, by = report.best_epoch, report.monitor
    else:
        by = "val_loss" if "val_loss" in epochs else "loss"
        loss = epochs.get(by)
        if loss is None or not np.isfinite(loss).any():
            return
        best = int(epochs["epoch"][int(np.nanargmin(_finite(loss)))])
    place = np.flatnonzero(epochs["epoch"] == best)
    if values is None or not len(place) or not np.isfinite(values[place[0]]):
        return
    ax.plot(
        best + 1,
        values[place[0]],
        ls="",
        marker="*",
        ms=13,
        color=plt.rcParams["axes.prop_cycle"].by_key()["color"][2],
        markeredgecolor=ax.get_facecolor(),
        label=f"best epoch by {by}: {best + 1}",
        zorder=5,
    )


def _finite(values: np.ndarray) -> np.ndarray:
    return np.where(np.isfinite(values), values, np.nan)


def _mark_stop(ax: Axes, report: StoppingReport) -> None:
    if report.criterion == "epochs" or report.last_epoch is None:
        return
    ax.axvline(
        report.last_epoch + 1,
        color=plt.rcParams["axes.prop_cycle"].by_key()["color"][3],
        lw=1.4,
        ls=":",
        label=f"stopped: {report.reason}",
    )
