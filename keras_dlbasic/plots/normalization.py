"""What batch and layer normalization do to a table of values."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from keras_dlbasic._wrong_arguments import names_nearest
from keras_dlbasic.plots.axes import panels_or_new

KINDS = {"batch": 0, "layer": 1}
"""Axis over which mean and variance are taken."""

EPSILON = 1e-3
MAX_CELLS = 80
"""Up to this many values are written into their cells."""


@names_nearest
def plot_normalization(
    x: Any = None, *, kind: str = "batch", ax: np.ndarray | None = None
) -> np.ndarray:
    """Draw values before and after normalization, and which values form a group.

    Rows are samples, columns are features. Batch normalization gives each column mean 0
    and variance 1; layer normalization does so for each row. One such group is framed.

    Args:
        x: Values `[samples, features]`. Defaults to None: generated values, whose
            features differ in mean and scale.
        kind: `"batch"` (default) or `"layer"`.
        ax: Array of two axes to draw on. Defaults to None: a new figure.

    Returns:
        An array of two axes: before and after normalization.

    Raises:
        ValueError: If `kind` is unknown, `x` is not a table, or `ax` is not two axes.

    Reference:
        Ioffe & Szegedy (2015), Batch normalization. Ba, Kiros & Hinton (2016), Layer
        normalization.

    Example:
    >>> import keras_dlbasic as kd
    >>> before, after = kd.plots.plot_normalization(kind="layer")
    """
    if kind not in KINDS:
        raise ValueError(f"`kind` must be one of {tuple(KINDS)}. Received: {kind!r}")
    values = _made() if x is None else np.asarray(x, np.float64)
    if values.ndim != 2 or not values.size:
        raise ValueError(
            "`x` must be a table, [samples, features]. Received: x of shape "
            f"{values.shape}"
        )
    axes = panels_or_new(ax, 1, 2, figsize=(8.4, 3.6)).ravel()
    axis = KINDS[kind]
    mean, variance = values.mean(axis, keepdims=True), values.var(axis, keepdims=True)
    after = (values - mean) / np.sqrt(variance + EPSILON)
    framed = ("one feature over the batch", "one sample over its features")[axis]
    for panel, shown, title in (
        (axes[0], values, "Before"),
        (axes[1], after, f"After {kind} normalization"),
    ):
        _draw(panel, shown, title, f"feature (framed: {framed})")
        _frame(panel, values.shape, axis)
    return axes


def _made() -> np.ndarray:
    rng = np.random.default_rng(0)
    return rng.normal(size=(6, 5)) * [1, 3, 0.5, 2, 1] + [0, 4, -2, 0, 6]


def _draw(ax: Axes, values: np.ndarray, title: str, below: str) -> None:
    limit = float(np.abs(values).max()) or 1.0
    ax.imshow(values, cmap="RdBu_r", vmin=-limit, vmax=limit, aspect="auto")
    if values.size <= MAX_CELLS:
        for (row, column), value in np.ndenumerate(values):
            # white on the dark ends of the color map
            color = "white" if abs(value) > 0.6 * limit else "black"
            ax.text(column, row, f"{value:.1f}", ha="center", va="center", color=color)
    ax.grid(False)
    ax.set_title(title, fontsize="medium")
    ax.set_xlabel(below)
    ax.set_ylabel("sample")
    ax.set_xticks([])
    ax.set_yticks([])


def _frame(ax: Axes, shape: tuple[int, ...], axis: int) -> None:
    """Frame the first column or row: what is normalized together."""
    high, wide = (shape[0], 1) if axis == 0 else (1, shape[1])
    ax.add_patch(Rectangle((-0.5, -0.5), wide, high, fill=False, ec="black", lw=3))
