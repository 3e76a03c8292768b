"""Slices of the landscape of a loss."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from keras_dlbasic._display import Plotted, wrapped
from keras_dlbasic._wrong_arguments import names_nearest


@names_nearest
@dataclass(frozen=True, repr=False)
class LossSurface(Plotted):
    """The loss on a plane in weight space.

    Attributes:
        u: Coordinates along the first direction, `[n]`.
        v: Coordinates along the second direction, `[m]`.
        loss: Loss at each point, `[m, n]`; some values may not be finite.
        names: Names of the two directions, with the unit of the coordinates.
        points: Coordinates of points of interest by name, `(u, v)`.

    Example:
    >>> import numpy as np
    >>> import keras_dlbasic as kd
    >>> u = v = np.linspace(-1.0, 1.0, 3)
    >>> loss = u**2 + v[:, None] ** 2
    >>> print(kd.analysis.LossSurface(u, v, loss, ("first", "second")))
    Loss at 3 x 3 points along first and second: from 0 to 2
    """

    u: np.ndarray
    v: np.ndarray
    loss: np.ndarray
    names: tuple[str, str]
    points: Mapping[str, tuple[float, float]] = field(default_factory=dict)

    def __str__(self) -> str:
        return wrapped(
            f"Loss at {len(self.u)} x {len(self.v)} points along {self.names[0]} and "
            f"{self.names[1]}: from {np.min(self.loss):.4g} to {np.max(self.loss):.4g}"
        )


@names_nearest
@dataclass(frozen=True, repr=False)
class LossLine(Plotted):
    """The loss along the straight line between two points in weight space.

    Attributes:
        t: Position on the line, `[n]`: 0 at the first point, 1 at the second.
        loss: Loss at each position, `[n]`.
        names: Names of the two points.

    Example:
    >>> import numpy as np
    >>> import keras_dlbasic as kd
    >>> t, loss = np.array([0.0, 0.5, 1.0]), np.array([0.1, 0.4, 0.1])
    >>> round(float(kd.analysis.LossLine(t, loss).barrier), 2)
    0.3
    """

    t: np.ndarray
    loss: np.ndarray
    names: tuple[str, str] = ("first", "second")

    def __str__(self) -> str:
        return wrapped(
            f"Loss at {len(self.t)} points from {self.names[0]} to {self.names[1]}: "
            f"from {np.min(self.loss):.4g} to {np.max(self.loss):.4g}, barrier "
            f"{self.barrier:.4g}"
        )

    @property
    def barrier(self) -> float:
        """How far the loss between the points rises above the higher of the two.

        0 if it does not rise: then both are in the same valley.
        """
        between = self.loss[(self.t >= 0) & (self.t <= 1)]
        ends = [self.loss[np.argmin(np.abs(self.t - end))] for end in (0, 1)]
        return float(max(np.max(between) - max(ends), 0.0))
