"""Gradient size along the depth of the network."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes

from keras_dlbasic._wrong_arguments import names_nearest
from keras_dlbasic.analysis import gradient_flow
from keras_dlbasic.plots.axes import MOST_LINES, axes_or_new, say_empty
from keras_dlbasic.plots.given import missing_steps, record_of
from keras_dlbasic.plots.layer_axis import label_layers
from keras_dlbasic.records import TrainingRecord


@names_nearest
def plot_gradient_flow(record: TrainingRecord, *, ax: Axes | None = None) -> Axes:
    """Draw the gradient of each layer, relative to its weights, from input to output.

    The lines are medians over the first and the last tenth of the sampled steps (at
    least three steps, if available). A line that falls by orders of magnitude towards
    the input shows a vanishing gradient; one that rises shows an exploding gradient.

    Args:
        record: The record of a run.
        ax: Axes to draw on. Defaults to None: a new figure.

    Returns:
        The axes.

    Example:
    >>> import keras_dlbasic as kd
    >>> ax = kd.plots.plot_gradient_flow(kd.records.TrainingRecord())
    """
    record = record_of(record)
    ax = axes_or_new(ax)
    ax.set_title("Gradient flow: relative gradient from input to output")
    if missing := missing_steps(record):
        return say_empty(ax, missing)
    flow = gradient_flow(
        record.by_layer("gradient_norm"), record.by_layer("weight_norm")
    )
    flow = np.where(np.isfinite(flow) & (flow > 0), flow, np.nan)
    # A tenth of the steps at either end, at least three where there are enough, and
    # never more than half, so that both ends have no step in common.
    part = max(1, min(len(flow) // 2, max(3, len(flow) // 10)))
    places = np.arange(len(record.layers))
    colors = plt.rcParams["axes.prop_cycle"].by_key()["color"]
    for rows, label, marker, color in (
        (flow[:part], "start of training", "o", colors[0]),
        (flow[-part:], "end of training", "s", colors[1]),
    ):
        medians = _median(rows)
        drawn = np.isfinite(medians)
        size = 5 if len(places) <= MOST_LINES else 2
        ax.plot(
            places[drawn],
            medians[drawn],
            marker=marker,
            ms=size,
            color=color,
            label=f"{label} ({len(rows)} steps)",
        )
        if len(rows) > 1:
            low, high = _range(rows)
            ax.fill_between(places, low, high, color=color, alpha=0.18, lw=0)
    if np.isfinite(flow).any():
        ax.set_yscale("log")
    label_layers(ax, record.layers)
    ax.set_ylabel("gradient norm / weight norm")
    ax.legend()
    return ax


def _median(rows: np.ndarray) -> np.ndarray:
    return _quantile(rows, 0.5)


def _range(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return _quantile(rows, 0.0), _quantile(rows, 1.0)


def _quantile(rows: np.ndarray, q: float) -> np.ndarray:
    """Return quantiles of columns over what is not NaN; NaN where nothing is left."""
    columns = [column[np.isfinite(column)] for column in rows.T]
    return np.array([np.quantile(c, q) if len(c) else np.nan for c in columns])
