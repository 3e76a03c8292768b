"""Both ends of the curvature over the epochs."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from keras_dlbasic._wrong_arguments import names_nearest
from keras_dlbasic.plots.axes import axes_or_new, say_empty
from keras_dlbasic.plots.given import record_of
from keras_dlbasic.records import TrainingRecord


@names_nearest
def plot_curvature(record: TrainingRecord, *, ax: Axes | None = None) -> Axes:
    """Draw the largest and smallest curvature over the epochs, and the verdicts.

    Bars show the error bounds. Above the dotted line, plain gradient descent with the
    current learning rate diverges (Cohen et al. 2021).

    Args:
        record: The record of a `callbacks.CurvatureProbe`.
        ax: Axes to draw on. Defaults to None: a new figure.

    Returns:
        The axes.

    Example:
    >>> import keras_dlbasic as kd
    >>> ax = kd.plots.plot_curvature(kd.records.TrainingRecord())
    """
    record = record_of(record)
    ax = axes_or_new(ax)
    ax.set_title("Curvature at the current weights")
    table = record.tables.get("curvature")
    if table is None or not len(table):
        return say_empty(ax, "no curvature in this record (use CurvatureProbe)")
    epochs = table.epochs + 1
    for end, marker in (("largest", "^"), ("smallest", "v")):
        ax.errorbar(
            epochs,
            table[end][:, 0],
            np.nan_to_num(table[f"{end}_residual"][:, 0]),
            marker=marker,
            capsize=3,
            label=f"{end} eigenvalue",
        )
    # Gradient descent diverges along directions whose curvature is above this limit.
    limit = table["stability_limit"][:, 0]
    if np.isfinite(limit).any():
        ax.plot(epochs, limit, ls=":", color="0.5", label="2 / learning rate")
    ax.axhline(0, lw=0.8, color="0.5")
    about = record.facts.curvature
    names = about.verdicts if about else ()
    said = None
    for epoch, value, number in zip(
        epochs, table["largest"][:, 0], table["verdict"][:, 0], strict=True
    ):
        verdict = names[int(number)] if 0 <= number < len(names) else None
        if verdict is not None and verdict != said:  # once, until it changes
            ax.annotate(
                verdict.replace("_", " "),
                (epoch, value),
                (0, 7),
                textcoords="offset points",
                ha="center",
                fontsize=8,
            )
            said = verdict
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.margins(x=0.12, y=0.15)
    ax.set(xlabel="epoch", ylabel="eigenvalue of the Hessian")
    ax.legend()
    return ax
