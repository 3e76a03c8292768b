"""The loss between two solutions."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes

from keras_dlbasic._display import plot_of
from keras_dlbasic._wrong_arguments import names_nearest
from keras_dlbasic.analysis import LossLine
from keras_dlbasic.plots.axes import axes_or_new, say_empty
from keras_dlbasic.plots.given import result_of

DECADES = 2


@names_nearest
def plot_loss_line(line: LossLine, *, ax: Axes | None = None) -> Axes:
    """Draw the loss on the straight line between two solutions.

    Args:
        line: The result of `landscape.loss_line(...)`.
        ax: Axes to draw on. Defaults to None: a new figure.

    Returns:
        The axes.

    Example:
    >>> import numpy as np
    >>> import keras_dlbasic as kd
    >>> t = np.linspace(-0.25, 1.25, 31)
    >>> line = kd.analysis.LossLine(t, 0.1 + (t * (t - 1)) ** 2)
    >>> ax = kd.plots.plot_loss_line(line)
    """
    line = result_of(line, LossLine)
    ax = axes_or_new(ax)
    ax.set_title("Loss between two solutions")
    finite = np.isfinite(line.loss)
    if not finite.any():
        return say_empty(ax, "the loss is nowhere finite")
    colors = plt.rcParams["axes.prop_cycle"].by_key()["color"]
    t, loss = line.t[finite], line.loss[finite]
    ax.plot(t, loss, color=colors[0])
    for end, name in zip((0.0, 1.0), line.names, strict=True):
        place = int(np.argmin(np.abs(line.t - end)))
        if finite[place]:
            ax.plot(end, line.loss[place], "o", color=colors[1], ms=7)
            ax.annotate(
                name,
                (end, line.loss[place]),
                xytext=(0, 9),
                textcoords="offset points",
                ha="center",
            )
    if loss.min() > 0 and np.log10(loss.max() / loss.min()) >= DECADES:
        ax.set_yscale("log")
    else:
        ax.margins(y=0.15)
    barrier = line.barrier
    if np.isfinite(barrier):
        said = f"barrier {barrier:.3g}" if barrier else "no barrier"
        ax.text(0.99, 0.97, said, ha="right", va="top", transform=ax.transAxes)
    ax.set_xlabel("place on the straight line")
    ax.set_ylabel("loss")
    return ax


plot_of.register(LossLine, plot_loss_line)
