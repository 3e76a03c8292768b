"""How steadily weights move."""

from __future__ import annotations

from typing import Any

import numpy as np


class UpdateNoise:
    """The share of noise in successive updates, from weights as they come.

    For updates `d_1 ... d_n`, all products of different updates estimate the squared
    norm of their mean without bias; the rest of their mean square is noise::

        noise = 1 - mean_{i != j}(d_i . d_j) / mean_i |d_i|^2

    0: every update is the same; 1: nothing but noise; above 1: updates undo each other.
    Only three sets of weights are held, however many updates there are.

    Example:
    >>> import numpy as np
    >>> from keras_dlbasic.analysis.gradients.update_noise import UpdateNoise
    >>> straight = UpdateNoise()
    >>> for step in range(4):
    ...     straight.add(step * np.ones(3))
    >>> straight.value
    0.0
    """

    def __init__(self) -> None:
        self.updates = -1
        self._first: Any = None
        self._last: Any = None
        self._squares = 0.0

    def add(self, weights: np.ndarray) -> None:
        """Take the weights after a further update, as a vector."""
        weights = np.asarray(weights, np.float64)
        if self._first is None:
            self._first = weights
        else:
            self._squares += float(np.sum((weights - self._last) ** 2))
        self._last = weights
        self.updates += 1

    @property
    def value(self) -> float:
        """The share of noise; NaN before the second update or without movement."""
        n = self.updates
        if n < 2 or not self._squares > 0:
            return float("nan")
        # The squared way from the first weights to the last is the sum of the products
        # of all pairs of updates. Less those of each with itself, it is what successive
        # updates have in common: that is signal, the rest is noise. No update has to be
        # kept for it.
        total = float(np.sum((self._last - self._first) ** 2))
        products = (total - self._squares) / (n * (n - 1))
        return 1.0 - products / (self._squares / n)
