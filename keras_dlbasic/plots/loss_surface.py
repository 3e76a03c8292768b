"""Slices of the landscape of a loss with two directions."""

from __future__ import annotations

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib import patheffects
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm, Normalize

from keras_dlbasic._display import plot_of
from keras_dlbasic._wrong_arguments import names_nearest
from keras_dlbasic.analysis import LossSurface
from keras_dlbasic.plots.axes import axes_or_new, say_empty
from keras_dlbasic.plots.given import result_of

LEVELS = 18
DECADES = 1.5
"""From this many decades on, levels are logarithmic."""


@names_nearest
def plot_loss_surface(
    surface: LossSurface, *, kind: str = "contour", ax: Axes | None = None
) -> Axes:
    """Draw the loss on a plane in weight space.

    Args:
        surface: The result of `landscape.loss_surface(...)`.
        kind: `"contour"` (default) or `"3d"`.
        ax: Axes to draw on; for `"3d"` created with `projection="3d"`. Defaults to
            None: a new figure.

    Returns:
        The axes.

    Raises:
        ValueError: If `kind` is neither, or the projection of `ax` does not match it.

    Example:
    >>> import numpy as np
    >>> import keras_dlbasic as kd
    >>> u = np.linspace(-1, 1, 9)
    >>> loss = u**2 - u[:, None] ** 2
    >>> surface = kd.analysis.LossSurface(u, u, loss, ("u", "v"), {"model": (0, 0)})
    >>> ax = kd.plots.plot_loss_surface(surface)
    """
    surface = result_of(surface, LossSurface)
    if kind not in ("contour", "3d"):
        raise ValueError(f'`kind` must be "contour" or "3d". Received: {kind!r}')
    if kind == "3d":
        if ax is None:
            figure = plt.figure(figsize=(7.2, 5.6), layout="constrained")
            ax = figure.add_subplot(projection="3d")
        elif not hasattr(ax, "plot_surface"):
            raise ValueError(
                '`kind="3d"` needs axes with `projection="3d"`, as from '
                '`figure.add_subplot(projection="3d")`.'
            )
    ax = axes_or_new(ax, figsize=(7.2, 5.4))
    loss = np.where(np.isfinite(surface.loss), surface.loss, np.nan)
    ax.set_title("Loss surface")
    if not np.isfinite(loss).any():
        return say_empty(ax, "the loss is nowhere finite")
    draw: Any = _contours if kind == "contour" else _relief
    draw(ax, surface, loss)
    # beside a relief there is no room for long lines
    first, second = (
        name.replace(", ", ",\n") if kind == "3d" else name for name in surface.names
    )
    ax.set_xlabel(first)
    ax.set_ylabel(second)
    return ax


plot_of.register(LossSurface, plot_loss_surface)


def _contours(ax: Axes, surface: LossSurface, loss: np.ndarray) -> None:
    levels, norm = _levels(loss)
    ax.grid(False)
    # Losses beyond the levels are drawn as the outermost one; they would leave holes.
    drawn = np.clip(loss, levels[0], levels[-1])
    filled = ax.contourf(
        surface.u, surface.v, drawn, levels=levels, norm=norm, cmap="viridis"
    )
    lines = ax.contour(
        surface.u, surface.v, drawn, levels=levels[1:-1:2], colors="w", linewidths=0.5
    )
    ax.clabel(lines, fmt="%.3g", fontsize=7)
    ax.figure.colorbar(filled, ax=ax, label="loss", pad=0.02, format="%.3g")
    halo = [patheffects.withStroke(linewidth=2.5, foreground="black")]
    for name, place in surface.points.items():
        ax.plot(*place, "o", color="white", mec="black", ms=6)
        ax.annotate(
            name,
            place,
            xytext=(6, 6),
            textcoords="offset points",
            color="white",
            path_effects=halo,
        )


def _relief(ax: Any, surface: LossSurface, loss: np.ndarray) -> None:
    levels, norm = _levels(loss)
    is_log = isinstance(norm, LogNorm)
    height = np.clip(loss, levels[0], levels[-1])
    ranks = norm(height)
    u, v = np.meshgrid(surface.u, surface.v)
    ax.plot_surface(
        u,
        v,
        np.log10(height) if is_log else height,
        facecolors=plt.get_cmap("viridis")(np.ma.filled(ranks, 0.0)),
        rcount=len(surface.v),
        ccount=len(surface.u),
        linewidth=0,
        shade=False,
    )
    ax.set_zlabel("log10 of the loss" if is_log else "loss")
    for axis in (ax.xaxis, ax.yaxis, ax.zaxis):
        axis.set_pane_color((0, 0, 0, 0))
        axis.label.set_size(8)
    ax.tick_params(labelsize=7)


def _levels(loss: np.ndarray) -> tuple[np.ndarray, Normalize]:
    low, high = float(np.nanmin(loss)), float(np.nanmax(loss))
    if low > 0 and np.log10(high / low) >= DECADES:
        # beyond five decades colors say nothing any more
        low = max(low, high * 1e-5)
        return np.geomspace(low, high, LEVELS), LogNorm(low, high)
    if high <= low:
        room = 0.5 * abs(low) or 0.5
        low, high = low - room, high + room
    return np.linspace(low, high, LEVELS), Normalize(low, high)
