"""Paths of the three regimes over a loss surface."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
from matplotlib import patheffects
from matplotlib.axes import Axes

from keras_dlbasic._display import plot_of
from keras_dlbasic._wrong_arguments import names_nearest
from keras_dlbasic.analysis import DescentPaths
from keras_dlbasic.plots.axes import axes_or_new
from keras_dlbasic.plots.given import result_of

GRID = 121


@names_nearest
def plot_descent_path(paths: DescentPaths, *, ax: Axes | None = None) -> Axes:
    """Draw the paths of gradient descent for three batch sizes: full, mini and one.

    Args:
        paths: The result of `analysis.descend(...)` or `analysis.fit_line(...)`.
        ax: Axes to draw on. Defaults to None: a new figure.

    Returns:
        The axes.

    Example:
    >>> import keras_dlbasic as kd
    >>> ax = kd.plots.plot_descent_path(kd.analysis.descend("saddle"))
    """
    paths = result_of(paths, DescentPaths)
    ax = axes_or_new(ax, figsize=(7.2, 5.0))
    points = np.concatenate(list(paths.paths.values()))
    points = points[np.isfinite(points).all(axis=1)]
    low, high = points.min(axis=0), points.max(axis=0)
    margin = 0.15 * np.maximum(high - low, 0.3 * (high - low).max() + 1e-9)
    sides = [np.linspace(low[i] - margin[i], high[i] + margin[i], GRID) for i in (0, 1)]
    u, v = np.meshgrid(*sides)
    loss = paths.loss(np.stack([u, v], axis=-1))
    height = loss - loss.min()
    # Levels are even in the root of the height. So there are enough of them near the
    # minimum, where the paths end.
    levels = np.linspace(0, np.sqrt(height.max()), 16) ** 2
    ax.grid(False)
    filled = ax.contourf(u, v, height, levels=levels, cmap="Greys", alpha=0.55)
    ax.contour(u, v, height, levels=levels, colors="0.5", linewidths=0.4)
    ax.figure.colorbar(
        filled, ax=ax, label="loss above its lowest value", pad=0.02, format="%.2g"
    )
    colors = plt.rcParams["axes.prop_cycle"].by_key()["color"]
    halo = [patheffects.withStroke(linewidth=3, foreground=ax.get_facecolor())]
    # the noisiest path lies lowest
    for place, (name, path) in reversed(list(enumerate(paths.paths.items()))):
        ax.plot(
            *path.T,
            color=colors[place],
            marker="o",
            ms=2.5,
            lw=1.3,
            label=name,
            path_effects=halo,
        )
        ax.plot(*path[-1], "s", color=colors[place], ms=7, mec=ax.get_facecolor())
    start = next(iter(paths.paths.values()))[0]
    ax.annotate("start", start, xytext=(6, 6), textcoords="offset points")
    handles, labels = ax.get_legend_handles_labels()
    ax.legend(
        handles[::-1],
        labels[::-1],
        loc="best",
        frameon=True,
        framealpha=0.8,
    )
    ax.set_title("Paths of descent" + (f": {paths.title}" if paths.title else ""))
    ax.set_xlabel(paths.names[0])
    ax.set_ylabel(paths.names[1])
    return ax


plot_of.register(DescentPaths, plot_descent_path)
