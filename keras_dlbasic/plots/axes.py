"""Axes to draw on, and what all plots over layers share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm, to_rgb
from matplotlib.ticker import MaxNLocator

from keras_dlbasic.analysis.evenly import evenly

MOST_LINES = 12
"""Up to this many layers are drawn as lines, more as a heat map."""

LONGEST_LABEL = 28

NUMBERS = {2: "two", 3: "three", 4: "four"}


def axes_or_new(ax: Axes | None, **figure: Any) -> Axes:
    """Return `ax`, or the axes of a new figure."""
    if ax is None:
        _, ax = plt.subplots(**{"layout": "constrained", **figure})
    return ax


def panels_or_new(ax: Any, rows: int, columns: int, **figure: Any) -> np.ndarray:
    """Return several axes as an array: those given, or those of a new figure.

    Args:
        ax: Array of axes of any shape, or None.
        rows: Of the new figure.
        columns: Of the new figure.
        **figure: As for `plt.subplots`.

    Raises:
        ValueError: If `ax` has another number of axes.
    """
    if ax is None:
        _, ax = plt.subplots(rows, columns, **{"layout": "constrained", **figure})
    axes = np.asarray(ax, dtype=object)
    if axes.size != rows * columns:
        raise ValueError(
            f"`ax` must be an array of {NUMBERS[rows * columns]} axes. Received: "
            f"{axes.size}"
        )
    return axes


def say_empty(ax: Axes, text: str) -> Axes:
    """Write on empty axes why nothing is drawn."""
    ax.text(0.5, 0.5, text, ha="center", va="center", transform=ax.transAxes)
    ax.set_xticks([])
    ax.set_yticks([])
    return ax


def short(label: str) -> str:
    """Shorten a label from the left: the end of a path says most.

    Matplotlib would typeset what stands between dollars, and leaves labels that begin
    with an underscore out of legends.
    """
    if len(label) > LONGEST_LABEL:
        label = "…" + label[1 - LONGEST_LABEL :]
    elif label.startswith("_"):
        label = "\N{ZERO WIDTH SPACE}" + label
    return label.replace("$", r"\$")


def depth_colors(n: int) -> list[Any]:
    """Return colors for `n` layers from input to output, distinct in gray too."""
    # The lightest colors are lost on white and the darkest on black: that end of the
    # map is left out.
    light = sum(to_rgb(plt.rcParams["axes.facecolor"])) > 1.5
    low, high = (0.0, 0.85) if light else (0.25, 1.0)
    return list(plt.get_cmap("viridis")(np.linspace(low, high, n)))


def legend_beside(ax: Axes, **options: Any) -> None:
    """Put a legend to the right of the axes, where it covers nothing."""
    beside = {"bbox_to_anchor": (1.01, 1.0), "borderaxespad": 0.0}
    ax.legend(loc="upper left", **beside, **options)


def layer_legend(ax: Axes) -> None:
    """Name the lines of layers beside the axes."""
    legend_beside(ax, title="layer, input first", alignment="left")


def draw_over_steps(
    ax: Axes,
    steps: np.ndarray,
    values: np.ndarray,
    labels: Sequence[str],
    *,
    quantity: str,
    wrong: np.ndarray | None = None,
) -> None:
    """Draw one series per layer over the steps: lines for few, a heat map for many.

    Values that are not positive or not finite are left out, since the scale is
    logarithmic; steps with values that are not finite are marked, and the first of them
    is named.

    Args:
        ax: Where to draw.
        steps: Numbers of the steps `[n]`, 0-based.
        values: What was measured `[n, layers]`.
        labels: Names of the layers.
        quantity: What it is.
        wrong: True for steps with values that are not finite `[n]`. Defaults to None:
            those with an infinite one.
    """
    wrong = np.isinf(values).any(axis=1) if wrong is None else wrong
    usable = np.where(np.isfinite(values) & (values > 0), values, np.nan)
    if len(labels) <= MOST_LINES:
        _lines(ax, steps, usable, labels)
        ax.set_ylabel(quantity)
    else:
        _heat_map(ax, steps, usable, labels, quantity)
    _mark(ax, steps[wrong] + 1, to_the_end=bool(wrong[np.argmax(wrong) :].all()))
    ax.set_xlabel("step")
    ax.xaxis.set_major_locator(MaxNLocator("auto", integer=True))


def draw_layer_map(
    ax: Axes,
    edges: np.ndarray,
    values: np.ndarray,
    labels: Sequence[str],
    quantity: str,
    **scale: Any,
) -> None:
    """Draw values of many layers as a heat map, with the input on top.

    Args:
        ax: Where to draw.
        edges: Sides of the columns `[n + 1]`.
        values: What was measured `[n, layers]`.
        labels: Names of the layers.
        quantity: What it is.
        **scale: Of the colors, as for `Axes.pcolormesh`.
    """
    ax.grid(False)
    mesh = ax.pcolormesh(edges, np.arange(len(labels) + 1), values.T, **scale)
    ax.figure.colorbar(mesh, ax=ax, label=quantity, pad=0.02)
    places = evenly(len(labels), 12)
    ax.set_yticks(places + 0.5, [short(labels[place]) for place in places])
    ax.tick_params(axis="y", labelsize=8)
    ax.invert_yaxis()
    ax.set_ylabel("layer, input first")


def _mark(ax: Axes, wrong: np.ndarray, *, to_the_end: bool) -> None:
    """Mark steps with values that are not finite."""
    if not len(wrong):
        return
    for step in wrong[:50]:
        ax.axvline(step, color="#D55E00", lw=0.9, ls=":")
    # Beside the line, on the side on which the curves are.
    left = wrong[0] > np.mean(ax.get_xlim())
    ax.annotate(
        f"not finite {'from' if to_the_end else 'at'} step {wrong[0]}",
        (wrong[0], 0.04),
        xycoords=("data", "axes fraction"),
        xytext=(-4 if left else 4, 0),
        textcoords="offset points",
        ha="right" if left else "left",
        color="#D55E00",
        fontsize=8,
    )


def _lines(
    ax: Axes, steps: np.ndarray, values: np.ndarray, labels: Sequence[str]
) -> None:
    marker = "o" if len(steps) < 3 else None
    for column, (label, color) in enumerate(
        zip(labels, depth_colors(len(labels)), strict=True)
    ):
        drawn = np.isfinite(values[:, column])
        # a logarithmic axis has no place for zero, so the legend says it
        name = short(label) + ("" if drawn.any() else " (zero)")
        ax.plot(
            steps[drawn] + 1,
            values[drawn, column],
            color=color,
            label=name,
            marker=marker,
        )
    if np.isfinite(values).any():
        ax.set_yscale("log")
    layer_legend(ax)


def _heat_map(
    ax: Axes,
    steps: np.ndarray,
    values: np.ndarray,
    labels: Sequence[str],
    quantity: str,
) -> None:
    finite = values[np.isfinite(values)]
    if not len(finite):
        ax.grid(False)
        say_empty(ax, f"no {quantity} above zero")
        return
    # One odd value would stretch the colors so far that all others look alike.
    low, high = np.quantile(finite, [0.005, 0.995])
    low, high = (low, high) if high > low else (low / 10, high * 10)
    # A column begins at its step and ends where the next one begins; the last is as
    # wide as the one before it.
    width = steps[-1] - steps[-2] if len(steps) > 1 else 1
    edges = np.append(steps + 1, steps[-1] + 1 + width)
    draw_layer_map(ax, edges, values, labels, quantity, norm=LogNorm(low, high))
