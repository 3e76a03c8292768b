"""Which class a model gives where, on two-dimensional data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes

GRID = 150
MOST_CLASSES = 8
MARGIN = 0.08


def plot_decision_regions(
    models: Any,
    x: Any,
    y: Any,
    *,
    ax: Any = None,
    columns: int = 4,
    feature_names: Sequence[str] | None = None,
) -> Any:
    """Draw the regions in which a model decides for each class, and the data.

    Side by side for several models, such as one without hidden layers, one with, and a
    deep one: without a non-linear activation the boundary is straight.

    Args:
        models: A trained model with two inputs, or a dictionary of several, name to
            model. What has `predict` is a model.
        x: Data `[n, 2]`.
        y: Class numbers `[n]`, or one-hot rows.
        ax: Axes, as many as models. Defaults to None: a new figure.
        columns: Panels in a row of a new figure. Defaults to 4.
        feature_names: Labels of the two axes. Defaults to None: the columns of a data
            frame, else "first feature" and "second feature".

    Returns:
        The axes of one model; else an array of them.

    Raises:
        ValueError: If the data or `feature_names` are not two features, or `ax` has
            another number of axes.

    Example:
    >>> import keras, numpy as np
    >>> import keras_dlbasic as kd
    >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2, "softmax")])
    >>> x = np.random.default_rng(0).normal(size=(20, 2))
    >>> ax = kd.plots.plot_decision_regions(model, x, x[:, 0] > 0)
    """
    labels = _labels(x, feature_names)
    x = np.asarray(x, np.float64)
    if x.ndim != 2 or x.shape[1] != 2 or not len(x):
        raise ValueError(
            f"`x` must have two features, [n, 2]. Received: x of shape {x.shape}"
        )
    y = np.asarray(y)
    classes = y.argmax(axis=1) if y.ndim > 1 and y.shape[1] > 1 else y.ravel()
    classes = classes.astype(int)
    several = isinstance(models, Mapping)
    named = dict(models) if several else {"": models}
    if ax is None:
        wide = min(columns, len(named))
        high = -(-len(named) // wide)
        _, ax = plt.subplots(
            high,
            wide,
            figsize=(3.1 * wide + 0.3, 3.1 * high + 0.3),
            sharex=True,
            sharey=True,
            layout="constrained",
            squeeze=False,
        )
        for empty in ax.reshape(-1)[len(named) :]:
            empty.set_visible(False)
        ax = ax.reshape(-1)[: len(named)]
    axes = np.asarray(ax).reshape(-1)
    if len(axes) != len(named):
        raise ValueError(
            f"`ax` must have an axes for each of {len(named)} models. Received: "
            f"{len(axes)}"
        )
    for panel, (name, model) in zip(axes, named.items(), strict=True):
        _draw(panel, model, x, classes)
        panel.set_title(name)
    _name_axes(axes, labels, int(classes.max()) + 1)
    return axes if several else axes[0]


def _labels(x: Any, names: Sequence[str] | None) -> tuple[str, ...]:
    if names is None:
        # a data frame has names for its columns
        names = getattr(x, "columns", ("first feature", "second feature"))
    found = tuple(str(name) for name in names)
    if len(found) != 2:
        raise ValueError(
            f"`feature_names` must be two names. Received: feature_names={names!r}"
        )
    return found


def _name_axes(axes: np.ndarray, labels: tuple[str, ...], n: int) -> None:
    """Label the outer axes of a grid, and name the classes beside the last one."""
    for panel in axes:
        place = panel.get_subplotspec()
        shares = panel.get_shared_x_axes().get_siblings(panel)
        below = len(shares) < 2 or place is None or place.is_last_row()
        left = len(shares) < 2 or place is None or place.is_first_col()
        panel.set_xlabel(labels[0] if below else "")
        panel.set_ylabel(labels[1] if left else "")
    handles, _ = axes[-1].get_legend_handles_labels()
    if 1 < n <= MOST_CLASSES:
        axes[-1].legend(
            handles=handles[:n],
            loc="upper left",
            bbox_to_anchor=(1.01, 1.0),
            borderaxespad=0.0,
        )


def _draw(ax: Axes, model: Any, x: np.ndarray, classes: np.ndarray) -> None:
    low, high = x.min(axis=0), x.max(axis=0)
    edge = MARGIN * np.maximum(high - low, 1e-12)
    first, second = (
        np.linspace(a, b, GRID) for a, b in zip(low - edge, high + edge, strict=True)
    )
    points = np.stack(np.meshgrid(first, second), axis=-1).reshape(-1, 2)
    given = np.asarray(
        model.predict(points.astype("float32"), batch_size=4096, verbose=0)
    )
    decided = _decided(given).reshape(GRID, GRID)
    n = int(max(decided.max(), classes.max())) + 1
    cycle = plt.rcParams["axes.prop_cycle"].by_key()["color"]
    colors = [cycle[place % min(len(cycle), MOST_CLASSES)] for place in range(n)]
    # Levels lie halfway between the class numbers, so each class is one flat region.
    ax.contourf(
        first,
        second,
        decided,
        levels=np.arange(n + 1) - 0.5,
        colors=colors,
        alpha=0.28,
    )
    for place in range(n):
        own = classes == place
        ax.scatter(
            x[own, 0],
            x[own, 1],
            s=14,
            color=colors[place],
            edgecolor=plt.rcParams["axes.facecolor"],
            linewidth=0.4,
            label=f"class {place}",
        )
    ax.grid(False)
    ax.set_xlim(first[0], first[-1])
    ax.set_ylim(second[0], second[-1])


def _decided(given: np.ndarray) -> np.ndarray:
    given = given.reshape(len(given), -1)
    if given.shape[1] > 1:
        return given.argmax(axis=1)
    # a probability is cut at a half, a logit at zero
    is_probability = given.min() >= 0 and given.max() <= 1
    return (given[:, 0] > (0.5 if is_probability else 0.0)).astype(int)
