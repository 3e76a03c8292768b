"""Which class a model gives where, on two-dimensional data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes

from keras_dlbasic._wrong_arguments import names_nearest
from keras_dlbasic.plots.axes import legend_beside

GRID = 150
MOST_CLASSES = 8
MARGIN = 0.08


@names_nearest
def plot_decision_regions(
    models: Any,
    x: Any,
    y: Any,
    *,
    ax: Any = None,
    columns: int = 4,
    feature_names: Sequence[str] | None = None,
) -> Any:
    """Draw the decision regions of a model, and the data.

    Several models are drawn side by side, for example one without hidden layers, one
    with a hidden layer, and a deep one. Without a non-linear activation the boundary is
    straight.

    Args:
        models: A trained model with two input features, or a dictionary from names to
            models. Any object with a `predict` method is accepted.
        x: Data `[n, 2]`.
        y: Class numbers `[n]`, or one-hot rows.
        ax: Axes to draw on, one per model. Defaults to None: a new figure.
        columns: Number of panels per row of a new figure. Defaults to 4.
        feature_names: Labels of the two axes. Defaults to None: the column names of a
            data frame, else "first feature" and "second feature".

    Returns:
        The axes for one model; an array of axes for several.

    Raises:
        TypeError: If one of `models` has no `predict` method.
        ValueError: If `x` does not have two features or is not finite, `y` does not
            contain class numbers or has another length, `feature_names` does not have
            two entries, `ax` has the wrong number of axes, or a model does not return
            one prediction per row.

    Example:
    >>> import keras, numpy as np
    >>> import keras_dlbasic as kd
    >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2, "softmax")])
    >>> x = np.random.default_rng(0).normal(size=(20, 2))
    >>> ax = kd.plots.plot_decision_regions(model, x, x[:, 0] > 0)
    """
    several = isinstance(models, Mapping)
    named = _checked(dict(models) if several else {"": models})
    points = _points(x)
    classes = _classes(y, len(points))
    labels = _labels(x, feature_names)
    first, second = _grid(points)
    # All models answer before a figure is made, so that an error leaves none behind.
    answers = {
        name: _decided(name, model, first, second) for name, model in named.items()
    }
    axes = _axes(ax, len(named), columns)
    for panel, (name, decided) in zip(axes, answers.items(), strict=True):
        _draw(panel, (first, second, decided), points, classes)
        panel.set_title(name)
    _name_axes(axes, labels, int(classes.max()) + 1)
    return axes if several else axes[0]


def _checked(models: dict[str, Any]) -> dict[str, Any]:
    if not models:
        raise ValueError("`models` must have at least one model. Received: {}")
    for model in models.values():
        if not callable(getattr(model, "predict", None)):
            raise TypeError(
                "`models` must be a model with a method `predict`, or a dictionary of "
                f"such, name to model. Received: {type(model).__name__}"
            )
    return models


def _points(x: Any) -> np.ndarray:
    try:
        points = np.asarray(x, np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(
            "`x` must be an array of numbers with two features, [n, 2]. Received: "
            f"{type(x).__name__} ({str(error)[:100]}). Encode words as numbers, and "
            "rows as lists of the same length."
        ) from error
    if points.ndim != 2 or points.shape[1] != 2 or not len(points):
        raise ValueError(
            "`x` must have two features, [n, 2]. Received: x of shape "
            f"{points.shape}. Choose two columns, and train the model on these."
        )
    wrong = int((~np.isfinite(points)).any(axis=1).sum())
    if wrong:
        raise ValueError(
            f"`x` must be finite. Received: {wrong} of {len(points)} rows with NaN or "
            "infinite values. Leave these rows out of `x` and `y`."
        )
    return points


def _classes(y: Any, n: int) -> np.ndarray:
    """Return the class number of each row."""
    try:
        given = np.asarray(y).astype(np.float64)
    except (TypeError, ValueError):
        given = np.full(np.shape(y), np.nan)
    one_hot = given.ndim == 2 and given.shape[1] > 1
    classes = given.argmax(axis=1) if one_hot else given.ravel()
    if len(classes) != n:
        raise ValueError(
            "`x` and `y` must have the same number of rows. Received: "
            f"{n} in `x` and {len(classes)} in `y`"
        )
    odd = np.flatnonzero(~(np.isfinite(given.reshape(n, -1)).all(axis=1)))
    if not len(odd):
        odd = np.flatnonzero((classes < 0) | (classes % 1 > 0))
    if len(odd):
        raise ValueError(
            "`y` must hold class numbers 0, 1, ... or one-hot rows. Received: "
            f"{np.asarray(y)[odd[0]]!s:.40} in row {odd[0]}. Number the classes: "
            "`names, y = numpy.unique(y, return_inverse=True)`."
        )
    return classes.astype(int)


def _axes(ax: Any, n: int, columns: int) -> np.ndarray:
    if ax is None:
        wide = min(max(columns, 1), n)
        high = -(-n // wide)
        _, ax = plt.subplots(
            high,
            wide,
            figsize=(3.1 * wide + 0.3, 3.1 * high + 0.3),
            sharex=True,
            sharey=True,
            layout="constrained",
            squeeze=False,
        )
        for empty in ax.reshape(-1)[n:]:
            empty.set_visible(False)
        ax = ax.reshape(-1)[:n]
    axes = np.asarray(ax).reshape(-1)
    if len(axes) != n:
        raise ValueError(
            f"`ax` must have an axes for each of {n} models. Received: {len(axes)}"
        )
    return axes


def _labels(x: Any, names: Sequence[str] | None) -> tuple[str, ...]:
    if names is None:
        # a data frame has names for its columns
        names = getattr(x, "columns", ("first feature", "second feature"))
    found = tuple(str(name) for name in names)
    if len(found) != 2 or isinstance(names, str):
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
        legend_beside(axes[-1], handles=handles[:n])


def _grid(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the places along both features at which models are asked."""
    low, high = points.min(axis=0), points.max(axis=0)
    edge = MARGIN * np.maximum(high - low, 1e-12)
    first, second = (
        np.linspace(a, b, GRID) for a, b in zip(low - edge, high + edge, strict=True)
    )
    return first, second


def _decided(
    name: str, model: Any, first: np.ndarray, second: np.ndarray
) -> np.ndarray:
    """Return the class that a model gives at each place, `[GRID, GRID]`."""
    points = np.stack(np.meshgrid(first, second), axis=-1).reshape(-1, 2)
    called = f"The model {name!r}" if name else "The model"
    try:
        given = model.predict(points.astype("float32"), batch_size=4096, verbose=0)
    except Exception as error:  # of the user's model
        text = " ".join(str(error).split())[:150]
        raise ValueError(
            f"{called} cannot predict for rows with two features, such as those of "
            f"`x` ({type(error).__name__}: {text}). Give a model that was trained on "
            "these two columns."
        ) from error
    is_one = not isinstance(given, (list, tuple, Mapping))
    if not is_one or not np.ndim(given) or len(given) != len(points):
        shape = np.shape(given) if is_one else f"{len(given)} outputs"
        raise ValueError(
            f"{called} must have one output with a row for each sample, such as the "
            f"probabilities of the classes. Received, of {len(points)} rows: {shape}"
        )
    answers = np.asarray(given).reshape(len(points), -1)
    if answers.shape[1] > 1:
        return answers.argmax(axis=1).reshape(GRID, GRID)
    # a probability is cut at a half, a logit at zero
    is_probability = answers.min() >= 0 and answers.max() <= 1
    decided = answers[:, 0] > (0.5 if is_probability else 0.0)
    return decided.astype(int).reshape(GRID, GRID)


def _draw(
    ax: Axes,
    region: tuple[np.ndarray, np.ndarray, np.ndarray],
    points: np.ndarray,
    classes: np.ndarray,
) -> None:
    first, second, decided = region
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
            points[own, 0],
            points[own, 1],
            s=14,
            color=colors[place],
            edgecolor=plt.rcParams["axes.facecolor"],
            linewidth=0.4,
            label=f"class {place}",
        )
    ax.grid(False)
    ax.set_xlim(first[0], first[-1])
    ax.set_ylim(second[0], second[-1])
