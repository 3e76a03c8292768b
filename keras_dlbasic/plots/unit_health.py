"""Dead, saturated and dormant units over a run."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from keras_dlbasic._wrong_arguments import names_nearest
from keras_dlbasic.plots.axes import (
    MOST_LINES,
    axes_or_new,
    depth_colors,
    draw_layer_map,
    layer_legend,
    say_empty,
    short,
)
from keras_dlbasic.plots.given import record_of
from keras_dlbasic.records import TrainingRecord

_NAMES = {
    "dead_units": "Dead units",
    "saturated_units": "Saturated units",
    "saturated_share": "Saturated activations",
    "dormant_units": "Dormant units",
}


@names_nearest
def plot_unit_health(
    record: TrainingRecord, measure: str = "dead_units", *, ax: Axes | None = None
) -> Axes:
    """Draw the share of dead, saturated or dormant units of each layer over the steps.

    Up to 12 layers are drawn as lines, more as a heat map with the input on top. Layers
    for which the measure is not defined are left out.

    Args:
        record: The record of a `callbacks.ActivationMonitor`.
        measure: `"dead_units"` (default), `"saturated_units"`, `"saturated_share"` or
            `"dormant_units"`.
        ax: Axes to draw on. Defaults to None: a new figure.

    Returns:
        The axes.

    Raises:
        ValueError: If `measure` is none of these.

    Example:
    >>> import keras_dlbasic as kd
    >>> ax = kd.plots.plot_unit_health(kd.records.TrainingRecord())
    """
    record = record_of(record)
    if measure not in _NAMES:
        raise ValueError(
            f"`measure` must be one of {sorted(_NAMES)}. Received: {measure!r}"
        )
    ax = axes_or_new(ax)
    ax.set_title(f"{_NAMES[measure]} on the probe batch")
    table = record.tables.get("activations")
    if not table:
        return say_empty(ax, "no activations in this record (use ActivationMonitor)")
    known = np.isfinite(table[measure]).any(axis=0)
    if not known.any():
        return say_empty(ax, "no layer of this run has an activation that saturates")
    values = table[measure][:, known]
    labels = [label for label, k in zip(table.labels, known, strict=True) if k]
    steps = table.steps
    ax.set_xlabel("steps trained")
    ax.xaxis.set_major_locator(MaxNLocator("auto", integer=True))
    if len(labels) <= MOST_LINES:
        marker = "o" if len(steps) < 3 else None
        for column, color in enumerate(depth_colors(len(labels))):
            name = short(labels[column])
            ax.plot(steps, values[:, column], color=color, marker=marker, label=name)
        ax.set_ylim(-0.02, 1.02)
        ax.set_ylabel("share of the layer")
        layer_legend(ax)
        return ax
    # A look comes after its steps, so a column of the map ends at its step.
    width = steps[-1] - steps[-2] if len(steps) > 1 else max(int(steps[0]), 1)
    edges = np.append(steps - width, steps[-1])
    draw_layer_map(ax, edges, values, labels, "share of the layer", vmin=0.0, vmax=1.0)
    return ax
