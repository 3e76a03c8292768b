"""Curves that fall and then rise, fitted without assuming a shape."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class UnimodalFit:
    """Least-squares fits of a curve: one that only falls, one that falls and rises.

    Attributes:
        turn: Number of points on the falling side: the rise starts at this index.
        falling: Fit that never rises, `[n]`.
        turning: Fit that falls up to `turn` and rises from there, `[n]`.
        falling_error: Sum of squared residuals of `falling`.
        turning_error: Sum of squared residuals of `turning`.
    """

    turn: int
    falling: np.ndarray
    turning: np.ndarray
    falling_error: float
    turning_error: float

    @property
    def rise(self) -> float:
        """Height of the turning fit at its end over its lowest point."""
        return float(self.turning[-1] - self.turning.min())


def fit_unimodal(values: np.ndarray) -> UnimodalFit:
    """Fit a curve by pooling adjacent violators, for each place where it might turn.

    Args:
        values: The curve, `[n]`, finite, at least one point.

    Returns:
        The fits.

    Example:
    >>> import numpy as np
    >>> from keras_dlbasic.analysis.overfitting.unimodal import fit_unimodal
    >>> fit = fit_unimodal(np.array([3.0, 2.0, 1.0, 2.0, 3.0]))
    >>> fit.turn, fit.falling.tolist(), fit.turning_error
    (2, [3.0, 2.0, 2.0, 2.0, 2.0], 0.0)
    """
    values = np.asarray(values, np.float64)
    # A fit that rises is one that falls, seen from the other end. So two passes give
    # the errors of all places where it could turn.
    before = falling_errors(values)
    after = falling_errors(values[::-1])[::-1]
    turn = int(np.argmin(before + after))
    turning = np.concatenate(
        [fall(values[:turn]), fall(values[turn:][::-1])[::-1]],
    )
    return UnimodalFit(
        turn, fall(values), turning, float(before[-1]), float((before + after)[turn])
    )


def fall(values: np.ndarray) -> np.ndarray:
    """Return the least-squares fit that never rises."""
    means: list[float] = []
    sizes: list[int] = []
    for means, sizes, _ in _pools(values):  # noqa: B007 - the last ones count
        pass
    return np.repeat(np.array(means, np.float64), sizes)


def falling_errors(values: np.ndarray) -> np.ndarray:
    """Return the squared error of `fall` for the first 0, 1, ..., n values.

    Example:
    >>> import numpy as np
    >>> from keras_dlbasic.analysis.overfitting.unimodal import falling_errors
    >>> falling_errors(np.array([3.0, 1.0, 2.0])).tolist()
    [0.0, 0.0, 0.0, 0.5]
    """
    return np.array([0.0, *(error for _, _, error in _pools(values))])


def lowest_levels(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the last level of `fall` for the first 1, 2, ..., n values, and its width.

    Example:
    >>> import numpy as np
    >>> from keras_dlbasic.analysis.overfitting.unimodal import lowest_levels
    >>> level, width = lowest_levels(np.array([3.0, 1.0, 2.0]))
    >>> level.tolist(), width.tolist()
    ([3.0, 1.0, 1.5], [1.0, 1.0, 2.0])
    """
    last = [(means[-1], sizes[-1]) for means, sizes, _ in _pools(values)]
    levels, widths = np.array(last, np.float64).reshape(-1, 2).T
    return levels, widths


def _pools(values: np.ndarray) -> Iterator[tuple[list[float], list[int], float]]:
    """Pool adjacent violators: yield the state after each of the values.

    Yields:
        The means of the pools and their sizes, lists that change from one value to the
        next, and the sum of squared residuals so far.
    """
    means: list[float] = []
    sizes: list[int] = []
    error = 0.0
    for value in values.tolist():
        mean, size = value, 1
        # A level above the one before it would be a rise: both become one level, their
        # mean. By this the squared error grows by what is added here, so that the error
        # of each beginning is known without another pass.
        while means and means[-1] < mean:
            last, n = means.pop(), sizes.pop()
            error += (mean - last) ** 2 * size * n / (size + n)
            mean, size = (mean * size + last * n) / (size + n), size + n
        means.append(mean)
        sizes.append(size)
        yield means, sizes, error
