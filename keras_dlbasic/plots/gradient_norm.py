"""Gradient norms over a run."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes

from keras_dlbasic._wrong_arguments import names_nearest
from keras_dlbasic.plots.axes import axes_or_new, draw_over_steps, say_empty
from keras_dlbasic.plots.given import missing_steps, record_of
from keras_dlbasic.records import TrainingRecord


@names_nearest
def plot_gradient_norm(record: TrainingRecord, *, ax: Axes | None = None) -> Axes:
    """Draw the gradient norm of each layer over the steps, before clipping.

    Up to 12 layers are drawn as lines, more as a heat map with the input on top. Dotted
    lines mark steps whose gradients are not finite.

    Args:
        record: The record of a run.
        ax: Axes to draw on. Defaults to None: a new figure.

    Returns:
        The axes.

    Example:
    >>> import keras_dlbasic as kd
    >>> ax = kd.plots.plot_gradient_norm(kd.records.TrainingRecord())
    """
    record = record_of(record)
    ax = axes_or_new(ax)
    ax.set_title("Gradient norm by layer")
    if missing := missing_steps(record):
        return say_empty(ax, missing)
    norms = record.by_layer("gradient_norm")
    wrong = (record.non_finite.sum(axis=1) > 0) | np.isinf(norms).any(axis=1)
    draw_over_steps(
        ax,
        record.steps,
        norms,
        record.layers,
        quantity="gradient norm (L2, before clipping)",
        wrong=wrong,
    )
    return ax
