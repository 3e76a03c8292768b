"""How far batch normalization's moving averages are from the batches."""

from __future__ import annotations

from matplotlib.axes import Axes

from keras_dlbasic._wrong_arguments import names_nearest
from keras_dlbasic.plots.axes import axes_or_new, draw_over_steps, say_empty
from keras_dlbasic.plots.given import record_of
from keras_dlbasic.records import TrainingRecord


@names_nearest
def plot_normalization_drift(record: TrainingRecord, *, ax: Axes | None = None) -> Axes:
    """Draw how far batch means are from moving means over the steps, by layer.

    The unit is the moving standard deviation (root mean square over channels). With `m`
    values per channel, a distance of about `1 / sqrt(m)` is expected by chance.

    Args:
        record: The record of a `callbacks.NormalizationMonitor`.
        ax: Axes to draw on. Defaults to None: a new figure.

    Returns:
        The axes.

    Example:
    >>> import keras_dlbasic as kd
    >>> ax = kd.plots.plot_normalization_drift(kd.records.TrainingRecord())
    """
    record = record_of(record)
    ax = axes_or_new(ax)
    ax.set_title("Drift between batch and moving statistics")
    table = record.tables.get("normalization")
    if not table:
        return say_empty(ax, "no drift in this record (use NormalizationMonitor)")
    draw_over_steps(
        ax,
        table.steps,
        table["mean_drift"],
        table.labels,
        quantity="mean drift / standard deviation",
    )
    return ax
