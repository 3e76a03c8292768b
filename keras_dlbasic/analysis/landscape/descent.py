"""Paths of the three ways of gradient descent, on loss surfaces of two parameters."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from keras_dlbasic._display import Plotted, wrapped
from keras_dlbasic._wrong_arguments import names_nearest

Function = Callable[[np.ndarray], np.ndarray]


@names_nearest
@dataclass(frozen=True, repr=False)
class DescentPaths(Plotted):
    """Paths of gradient descent over a loss surface of two parameters.

    Attributes:
        loss: The loss of the whole data set: `[..., 2]` in, `[...]` out.
        paths: Parameters after each update, `[updates + 1, 2]`, by name of the batch
            size.
        names: Names of the two parameters.
        title: Title of the surface, for plots.

    Example:
    >>> import numpy as np
    >>> import keras_dlbasic as kd
    >>> x = np.linspace(-1.0, 1.0, 32)
    >>> found = kd.analysis.fit_line(x, 2 * x + 1, batch_sizes=["full", 1], updates=10)
    >>> {name: path.shape for name, path in found.paths.items()}
    {'full-batch': (11, 2), 'one sample per update': (11, 2)}
    """

    loss: Function
    paths: dict[str, np.ndarray]
    names: tuple[str, str] = ("first parameter", "second parameter")
    title: str = ""

    def __str__(self) -> str:
        updates = [f"{name}: {len(p) - 1} updates" for name, p in self.paths.items()]
        return wrapped(f"{self.title or 'Paths'}; {', '.join(updates)}")


def _bowl(p: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    u, v = p[..., 0], p[..., 1]
    return (u**2 + 2 * v**2) / 2, np.stack([u, 2 * v], axis=-1)


def _ravine(p: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    u, v = p[..., 0], p[..., 1]
    return (u**2 + 15 * v**2) / 2, np.stack([u, 15 * v], axis=-1)


def _saddle(p: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    u, v = p[..., 0], p[..., 1]
    gradient = np.stack([u, v**3 - v], axis=-1)
    return u**2 / 2 + (v**2 - 1) ** 2 / 4, gradient


def _valleys(p: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    u, v = p[..., 0], p[..., 1]
    gradient = np.stack([u**3 - u + 0.2, 2 * v], axis=-1)
    return (u**2 - 1) ** 2 / 4 + 0.2 * u + v**2, gradient


SURFACES: dict[str, tuple[Any, tuple[float, float]]] = {
    "bowl": (_bowl, (-1.8, 1.3)),
    "ravine": (_ravine, (-1.8, 0.5)),
    "saddle": (_saddle, (-1.6, 0.0)),
    "valleys": (_valleys, (1.6, 0.9)),
}
"""Teaching surfaces: a bowl, a ravine, a saddle between two minima (started on its
ridge, where the exact gradient never leaves it), and a shallow beside a deep valley."""


@names_nearest
def descend(
    surface: str,
    *,
    batch_sizes: Sequence[str | int] = ("full", 16, 1),
    learning_rate: float = 0.1,
    updates: int = 60,
    samples: int = 256,
    spread: float = 0.4,
    seed: int = 0,
) -> DescentPaths:
    """Run gradient descent on a teaching surface with three batch sizes.

    The loss of each sample is the surface shifted by a random amount; the loss is the
    mean over the samples, as in training. The shifts come in pairs that cancel out.

    Args:
        surface: A name in `SURFACES`.
        batch_sizes: `"full"` or numbers of samples.
        learning_rate: Step size.
        updates: Number of updates.
        samples: Number of samples.
        spread: Standard deviation of the shifts.
        seed: Seed of shifts and batches.

    Returns:
        `DescentPaths`.

    Example:
    >>> from keras_dlbasic.analysis import descend
    >>> list(descend("ravine", updates=5).paths)
    ['full-batch', 'mini-batch of 16', 'one sample per update']
    """
    if surface not in SURFACES:
        raise ValueError(
            f"`surface` must be one of {tuple(SURFACES)}. Received: {surface!r}"
        )
    function, start = SURFACES[surface]
    # Each shift has its opposite, so that they add up to zero: the full batch is not
    # pushed aside by the draw.
    half = np.random.default_rng(seed).normal(0, spread, (samples // 2, 2))
    shifts = np.concatenate([half, -half])

    def loss(points: np.ndarray) -> np.ndarray:
        moved = np.asarray(points, np.float64)[..., None, :] - shifts
        return np.asarray(function(moved)[0].mean(axis=-1))

    def gradient(point: np.ndarray, rows: np.ndarray) -> np.ndarray:
        return np.asarray(function(point - shifts[rows])[1].mean(axis=0))

    paths = _paths(
        gradient, start, len(shifts), batch_sizes, learning_rate, updates, seed
    )
    return DescentPaths(loss, paths, title=surface)


@names_nearest
def fit_line(
    x: Any,
    y: Any,
    *,
    batch_sizes: Sequence[str | int] = ("full", 16, 1),
    learning_rate: float = 0.1,
    updates: int = 60,
    start: tuple[float, float] = (0.0, 0.0),
    seed: int = 0,
) -> DescentPaths:
    """Fit slope and intercept to data by gradient descent with three batch sizes.

    The loss is half the mean squared error.

    Args:
        x: Inputs, `[n]`.
        y: Targets, `[n]`.
        batch_sizes: `"full"` or numbers of samples.
        learning_rate: Step size.
        updates: Number of updates.
        start: Slope and intercept to start from.
        seed: Seed of the batches.

    Returns:
        `DescentPaths`.

    Example:
    >>> import numpy as np
    >>> import keras_dlbasic as kd
    >>> x = np.linspace(-1.0, 1.0, 32)
    >>> found = kd.analysis.fit_line(x, 2 * x + 1, learning_rate=0.5)
    >>> found.paths["full-batch"][-1].round(2).tolist()  # slope and intercept
    [2.0, 1.0]
    """
    x, y = np.asarray(x, np.float64), np.asarray(y, np.float64)
    inputs = np.stack([x, np.ones_like(x)], axis=1)

    def loss(points: np.ndarray) -> np.ndarray:
        errors = np.asarray(points, np.float64) @ inputs.T - y
        return np.asarray((errors**2).mean(axis=-1) / 2)

    def gradient(point: np.ndarray, rows: np.ndarray) -> np.ndarray:
        errors = inputs[rows] @ point - y[rows]
        return np.asarray(errors @ inputs[rows] / len(rows))

    paths = _paths(gradient, start, len(x), batch_sizes, learning_rate, updates, seed)
    return DescentPaths(loss, paths, ("slope", "intercept"), "a line through data")


def _paths(
    gradient: Callable[[np.ndarray, np.ndarray], np.ndarray],
    start: tuple[float, float],
    n: int,
    batch_sizes: Sequence[str | int],
    learning_rate: float,
    updates: int,
    seed: int,
) -> dict[str, np.ndarray]:
    paths = {}
    for size in batch_sizes:
        batch = n if size == "full" else min(int(size), n)
        rng = np.random.default_rng(seed)
        point = np.array(start, np.float64)
        path, order = [point], np.zeros(0, np.int64)
        for _ in range(updates):
            if len(order) < batch:
                order = rng.permutation(n)
            rows, order = order[:batch], order[batch:]
            # Sorted, so that the full batch adds up in the same order in each update: a
            # path on a ridge stays there only if nothing is rounded differently.
            point = point - learning_rate * gradient(point, np.sort(rows))
            path.append(point)
        paths[_name(batch, n)] = np.array(path)
    return paths


def _name(batch: int, n: int) -> str:
    if batch >= n:
        return "full-batch"
    return "one sample per update" if batch == 1 else f"mini-batch of {batch}"
