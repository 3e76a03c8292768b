"""How far each step moves the weights."""

from __future__ import annotations

from matplotlib.axes import Axes

from keras_dlbasic._wrong_arguments import names_nearest
from keras_dlbasic.analysis import gradient_flow
from keras_dlbasic.plots.axes import (
    MOST_LINES,
    axes_or_new,
    draw_over_steps,
    say_empty,
)
from keras_dlbasic.plots.given import missing_steps, record_of
from keras_dlbasic.records import TrainingRecord

USUAL_RATIO = (3e-4, 3e-3)
"""Around 1e-3, the rule of thumb for the update-to-weight ratio."""


@names_nearest
def plot_update_ratio(record: TrainingRecord, *, ax: Axes | None = None) -> Axes:
    """Draw the update-to-weight ratio of each layer over the steps.

    The band around 1e-3 is a rule of thumb for the middle of training (A. Karpathy,
    CS231n notes, "Ratio of weights:updates"): well above it the learning rate may be
    too high, well below it too low, unless training has converged.

    Args:
        record: The record of a run.
        ax: Axes to draw on. Defaults to None: a new figure.

    Returns:
        The axes.

    Example:
    >>> import keras_dlbasic as kd
    >>> ax = kd.plots.plot_update_ratio(kd.records.TrainingRecord())
    """
    record = record_of(record)
    ax = axes_or_new(ax)
    ax.set_title("Update-to-weight ratio by layer")
    if missing := missing_steps(record):
        return say_empty(ax, missing)
    ratio = gradient_flow(
        record.by_layer("update_norm"), record.by_layer("weight_norm")
    )
    if len(record.layers) <= MOST_LINES:
        ax.axhspan(*USUAL_RATIO, color="#009E73", alpha=0.15, lw=0, label="around 1e-3")
    draw_over_steps(
        ax, record.steps, ratio, record.layers, quantity="update norm / weight norm"
    )
    return ax
