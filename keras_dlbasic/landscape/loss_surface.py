"""Slices of the landscape of a loss."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from keras_dlbasic._arguments import shown
from keras_dlbasic._wrong_arguments import names_nearest
from keras_dlbasic.analysis.landscape.loss_surface import LossLine, LossSurface
from keras_dlbasic.landscape.hessian_extremes import hessian_extremes
from keras_dlbasic.landscape.objective import Objective, objective_of

UNIT = "x norm of the weights"
FILTERS = "x norm of each filter"


@names_nearest
def loss_surface(
    model: Any,
    x: Any = None,
    y: Any = None,
    *,
    directions: str | Sequence[Any] = "random",
    resolution: int = 25,
    distance: float = 1.0,
    seed: int = 0,
    **options: Any,
) -> LossSurface:
    """Compute the loss on a plane through the weights of a model.

    Batch normalization uses its moving statistics, which are those of the weights in
    the center. With `training=True` it uses the statistics of each micro-batch at each
    point, and dropout uses the same mask at all points. The model is not changed.

    Args:
        model: A built and compiled Keras model, or an `Objective`.
        x: Inputs: an array or a structure of arrays.
        y: Targets, likewise.
        directions: `"random"` (default): two random directions with filter
            normalization: each filter has the norm of the model's filter, and biases
            and scales are fixed. So surfaces of different models can be compared.
            `"eigen"`: the directions of largest and of smallest curvature. `"weights"`:
            the two weights of a model that has only two. Or two points `(a, b)`, each a
            model of the same architecture or a list of its trainable weights: the plane
            through them and the model.
        resolution: Points along each direction; odd numbers include the model.
        distance: How far the surface extends to each side. For two points: how far
            beyond them, as a share of their extent.
        seed: Seed of random directions.
        **options: `sample_weight`, `micro_batch` and `training`, see `Objective`.

    Returns:
        A `LossSurface`; draw it by `plots.plot_loss_surface`.

    Raises:
        ValueError: See `Objective`; or if `directions` is invalid.

    Reference:
        Li et al. (2018), Visualizing the loss landscape of neural nets.

    Example:
    >>> import keras, numpy as np
    >>> import keras_dlbasic as kd
    >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    >>> model.compile(loss="mse")
    >>> x = np.ones((4, 2))
    >>> surface = kd.landscape.loss_surface(model, x, x[:, :1], resolution=5)
    >>> surface.loss.shape
    (5, 5)
    """
    _check_resolution(resolution, distance)
    objective = objective_of(model, x, y, **options)
    center = objective.weights()
    sides = np.linspace(-distance, distance, resolution)
    points = {"model": (0.0, 0.0)}
    if directions == "random":
        rng = np.random.default_rng(seed)
        axes = [filter_normalized(objective, center, rng) for _ in range(2)]
        names = (f"first random direction, {FILTERS}", f"second, {FILTERS}")
        u = v = sides
    elif directions == "eigen":
        found = hessian_extremes(objective, seed=seed)
        length = float(np.linalg.norm(center)) or math.sqrt(objective.size)
        axes = [length * found.largest_direction, length * found.smallest_direction]
        names = (
            f"largest curvature ({found.largest:.3g}), {UNIT}",
            f"smallest curvature ({found.smallest:.3g}), {UNIT}",
        )
        u = v = sides
    elif directions == "weights" and objective.size == 2:
        axes, names = list(np.eye(2)), ("first weight", "second weight")
        u, v = sides + center[0], sides + center[1]
        points = {"model": (float(center[0]), float(center[1]))}
        center = np.zeros(2)
    else:
        axes, places = _through(objective, center, directions)
        points |= {"a": places[0], "b": places[1]}
        (u, v) = (
            _extent([0.0, *(place[i] for place in places)], distance, resolution)
            for i in (0, 1)
        )
        names = ("distance from the model, towards a", "distance, across")
    # Rows go along v and columns along u, as contour plots take them.
    loss = [[objective.loss(center + s * axes[0] + t * axes[1]) for s in u] for t in v]
    return LossSurface(u, v, np.array(loss), names, points)


@names_nearest
def loss_line(
    model: Any,
    other: Any,
    x: Any = None,
    y: Any = None,
    *,
    resolution: int = 41,
    margin: float = 0.25,
    **options: Any,
) -> LossLine:
    """Compute the loss on the straight line between the weights of two models.

    If the loss rises in between, there is a barrier between the two. A curved path
    without a barrier may still exist.

    Args:
        model: A built and compiled Keras model, or an `Objective`.
        other: A model of the same architecture, or a list of its trainable weights.
        x: Inputs: an array or a structure of arrays.
        y: Targets, likewise.
        resolution: Number of points.
        margin: How far the line extends beyond both, as a share of their distance.
        **options: See `loss_surface`, also on batch normalization.

    Returns:
        A `LossLine`; draw it by `plots.plot_loss_line`.

    Raises:
        ValueError: See `Objective`; or if `other` has other weights.

    Reference:
        Goodfellow et al. (2015), Qualitatively characterizing neural network
        optimization problems.

    Example:
    >>> import keras, numpy as np
    >>> import keras_dlbasic as kd
    >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    >>> model.compile(loss="mse")
    >>> other = keras.models.clone_model(model)
    >>> line = kd.landscape.loss_line(model, other, np.ones((4, 2)), np.ones((4, 1)))
    >>> line.barrier  # the loss of a linear model has one valley
    0.0
    """
    _check_resolution(resolution, margin, least=0.0)
    if hasattr(other, "shape"):
        raise TypeError(
            "`other` must be a model like the first, or a list of its weights, and "
            f"comes before the data: `loss_line(model, other, x, y)`. Received: "
            f"{shown(other)}"
        )
    objective = objective_of(model, x, y, **options)
    first, second = objective.weights(), _weights_of(objective, other)
    places = np.linspace(-margin, 1 + margin, resolution)
    loss = [objective.loss(first + t * (second - first)) for t in places]
    return LossLine(places, np.array(loss))


def filter_normalized(
    objective: Objective, center: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Return a random direction in which each filter is as long as at `center`.

    A filter is what makes one output: all entries of a kernel with the same last index.
    Vectors (biases, scales) rest, unless the model has nothing else.
    """
    parts = objective.split(center)
    has_kernels = any(part.ndim > 1 for part in parts)
    found = []
    for part in parts:
        direction = rng.standard_normal(part.shape)
        if part.ndim < 2:
            # Biases stay where they are, as Li et al. (2018) have it; in a model that
            # has nothing else they are all there is to move.
            length = np.abs(part) if has_kernels else np.ones_like(part)
            found.append((0.0 if has_kernels else 1.0) * length * direction)
            continue
        axes = tuple(range(part.ndim - 1))
        lengths = np.sqrt(np.sum(part**2, axis=axes, keepdims=True))
        # a filter of zeros: as long as an ordinary initializer makes it
        lengths = np.where(lengths == 0, 1.0, lengths)
        norms = np.sqrt(np.sum(direction**2, axis=axes, keepdims=True))
        found.append(direction * lengths / norms)
    return np.concatenate([part.ravel() for part in found])


def _through(
    objective: Objective, center: np.ndarray, points: Any
) -> tuple[list[np.ndarray], list[tuple[float, float]]]:
    """Return two orthogonal unit vectors to two points, and where those lie."""
    if isinstance(points, str) or len(points) != 2:
        raise ValueError(
            '`directions` must be "random", "eigen", for models of two weights '
            '"weights", or two points `(a, b)`: models or lists of weights. Received: '
            f"directions={points!r}"
        )
    a, b = (_weights_of(objective, point) - center for point in points)
    # What `b` has along `a` is taken out: with axes at right angles the picture shows
    # distances as they are.
    towards = a / (np.linalg.norm(a) or 1.0)
    across = b - (b @ towards) * towards
    width = float(np.linalg.norm(across))
    if not a.any() or width <= 1e-6 * np.linalg.norm(b):
        raise ValueError(
            "The model and the two points must not lie on one line. For a line, use "
            "`landscape.loss_line`."
        )
    across = across / width
    return [towards, across], [
        (float(a @ towards), 0.0),
        (float(b @ towards), float(b @ across)),
    ]


def _weights_of(objective: Objective, point: Any) -> np.ndarray:
    if isinstance(point, np.ndarray) and point.shape == (objective.size,):
        return point.astype(np.float64)
    if isinstance(point, keras.Model):
        point = [keras.ops.convert_to_numpy(v) for v in point.trainable_variables]
    parts = [np.asarray(part, np.float64) for part in point]
    if [part.shape for part in parts] != list(objective.shapes):
        raise ValueError(
            "A point must have the trainable weights of the model. Expected shapes "
            f"{objective.shapes}. Received: {[part.shape for part in parts]}"
        )
    return np.concatenate([part.ravel() for part in parts])


def _extent(places: list[float], margin: float, resolution: int) -> np.ndarray:
    low, high = min(places), max(places)
    room = margin / 2 * (high - low)
    return np.linspace(low - room, high + room, resolution)


def _check_resolution(resolution: Any, distance: Any, *, least: float = 1e-12) -> None:
    whole = isinstance(resolution, int) and not isinstance(resolution, bool)
    if not whole or resolution < 2 or not distance >= least:
        raise ValueError(
            "`resolution` must be a whole number of at least 2, and distances "
            f"positive. Received: {resolution!r} and {distance!r}"
        )
