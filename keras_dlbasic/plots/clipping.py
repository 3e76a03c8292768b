"""How often and how hard gradients were clipped."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from keras_dlbasic._wrong_arguments import names_nearest
from keras_dlbasic.plots.axes import axes_or_new, say_empty
from keras_dlbasic.plots.given import record_of
from keras_dlbasic.records import TrainingRecord


@names_nearest
def plot_clipping(record: TrainingRecord, *, ax: Axes | None = None) -> Axes:
    """Draw the clip factor over the steps: norm after clipping / norm before.

    The line is the factor of the whole gradient; the area shows the range over the
    variables. The title has the share of sampled steps at which any gradient was
    clipped.

    Args:
        record: The record of a run.
        ax: Axes to draw on. Defaults to None: a new figure.

    Returns:
        The axes.

    Example:
    >>> import keras_dlbasic as kd
    >>> ax = kd.plots.plot_clipping(kd.records.TrainingRecord())
    """
    record = record_of(record)
    ax = axes_or_new(ax)
    ax.set_title("Clipping")
    factor = record.clip_factor.astype(np.float64)
    known = np.isfinite(factor).any(axis=1) if factor.size else np.zeros(0, bool)
    if not known.any():
        return say_empty(ax, "no clip factors in this record")
    factor, steps = factor[known], record.steps[known]
    # Each variable has its own clip factor. The factor of the whole gradient follows
    # from its norms before and after.
    norms = record.gradient_norm[known].astype(np.float64)
    usable = np.isfinite(factor) & np.isfinite(norms)
    before = np.sqrt(np.sum(np.where(usable, norms, 0) ** 2, axis=1))
    after = np.sqrt(np.sum(np.where(usable, norms * factor, 0) ** 2, axis=1))
    whole = np.where(before > 0, after / np.where(before > 0, before, 1), 1.0)
    filled = np.where(np.isfinite(factor), factor, 1.0)
    cut = (filled < 0.9999).any(axis=1)
    color = plt.rcParams["axes.prop_cycle"].by_key()["color"][0]
    ax.fill_between(
        steps + 1,
        filled.min(axis=1),
        filled.max(axis=1),
        color=color,
        alpha=0.18,
        lw=0,
        label="range over variables",
    )
    marker = "o" if len(steps) < 3 else None
    ax.plot(steps + 1, whole, color=color, marker=marker, label="whole gradient")
    ax.axhline(1.0, color=ax.xaxis.label.get_color(), lw=0.8, ls="--")
    if filled.min() < 0.05:
        ax.set_yscale("log")
        ax.set_ylim(top=1.3)
    else:
        ax.set_ylim(0, 1.05)
    ax.set_title(f"Clipping: {cut.mean():.0%} of the sampled steps were cut")
    ax.set_xlabel("step")
    ax.xaxis.set_major_locator(MaxNLocator("auto", integer=True))
    ax.set_ylabel("norm after / before clipping")
    ax.legend()
    return ax
