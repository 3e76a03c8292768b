"""How much of the loss is penalty."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from keras_dlbasic._wrong_arguments import names_nearest
from keras_dlbasic.plots.axes import (
    MOST_LINES,
    axes_or_new,
    depth_colors,
    legend_beside,
    say_empty,
    short,
)
from keras_dlbasic.plots.given import record_of
from keras_dlbasic.records import TrainingRecord


@names_nearest
def plot_penalty(record: TrainingRecord, *, ax: Axes | None = None) -> Axes:
    """Draw the share of each weight's penalty in the loss over the epochs.

    The areas of the weights are stacked, input first. With more than 12 weights only
    the sum is drawn.

    Args:
        record: The record of a `callbacks.PenaltyMonitor`.
        ax: Axes to draw on. Defaults to None: a new figure.

    Returns:
        The axes.

    Example:
    >>> import keras_dlbasic as kd
    >>> ax = kd.plots.plot_penalty(kd.records.TrainingRecord())
    """
    record = record_of(record)
    ax = axes_or_new(ax)
    ax.set_title("Penalty share of the loss")
    table = record.tables.get("penalties")
    if not table:
        return say_empty(ax, "no penalties in this record (use PenaltyMonitor)")
    # Penalties may have been measured in some epochs only, so the losses are looked up
    # by the number of the epoch.
    loss_of = dict(
        zip(
            record.epochs["epoch"].tolist(),
            record.epochs.get("loss", np.full(len(record.epochs["epoch"]), np.nan)),
            strict=True,
        )
    )
    loss = np.array([loss_of.get(int(epoch), np.nan) for epoch in table.epochs])
    usable = np.isfinite(loss) & (loss > 0)
    if not usable.any():
        return say_empty(ax, "no finite, positive loss in this record")
    shares = table["penalty"][usable] / loss[usable, None]
    labels = list(table.labels)
    factors = record.facts.penalties or {}
    if len(labels) > MOST_LINES:
        shares, labels = shares.sum(axis=1, keepdims=True), ["all weights"]
    places = table.epochs[usable] + 1
    colors = depth_colors(len(labels)) if len(labels) > 1 else ["#0072B2"]
    names = [
        "\n".join(part for part in (short(label), factors.get(label)) if part)
        for label in labels
    ]
    # Areas need two epochs; a single one is drawn as a bar.
    if len(places) == 1:
        bottom = 0.0
        for share, color, name in zip(shares[0], colors, names, strict=True):
            ax.bar(places, share, 0.5, bottom, color=color, label=name)
            bottom += share
        ax.set_xlim(places[0] - 1, places[0] + 1)
    else:
        ax.stackplot(places, shares.T, colors=colors, labels=names, lw=0)
        ax.set_xlim(places[0], places[-1])
    top = float(np.nanmax(shares.sum(axis=1)))
    ax.set_ylim(0, max(1.05 * top, 1e-6))
    ax.set_title(f"Penalty share of the loss: {shares.sum(axis=1)[-1]:.1%} at the end")
    ax.yaxis.set_major_formatter(lambda value, _: f"{value:.3g}")
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.set_xlabel("epoch")
    ax.set_ylabel("penalty / loss")
    legend_beside(ax, reverse=True)
    return ax
