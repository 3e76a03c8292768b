"""A bounded table of sampled steps."""

from __future__ import annotations

from copy import copy
from typing import Any

import numpy as np

from keras_dlbasic.records.thinning import WARMUP_STEPS, is_warmup_step

WARMUP, SPARE = -1, -2
"""Rows of the warm-up instead of an ordinal: to be kept, first to go."""


class RowBuffer:
    """Rows of measurements, one per sampled step, never more than `capacity`.

    The first and the last row are always kept. When the buffer is full, rows of the
    warm-up are thinned to a logarithmic spacing and every other row of the rest goes,
    so that what remains is spread evenly over the run.

    Args:
        n_scalars: Number of values a step has besides those per variable.
        n_measures: Number of measures per variable.
        n_variables: Number of variables.
        capacity: Greatest number of rows. At least 128. Defaults to `1024`.
    """

    def __init__(
        self, n_scalars: int, n_measures: int, n_variables: int, capacity: int = 1024
    ) -> None:
        if capacity < 128:
            raise ValueError(
                "`capacity` must be at least 128, since the warm-up alone takes up "
                f"to 49 rows. Received: capacity={capacity}"
            )
        self.capacity = capacity
        self._n = 0
        self._stride = 1
        self._ordinal = 0  # rows after the warm-up so far, kept or not
        self._last_is_kept = True
        self._steps = np.zeros(0, np.int64)
        self._ordinals = np.zeros(0, np.int64)
        self._scalars = np.zeros((0, n_scalars), np.float64)
        self._measures = np.zeros((0, n_measures, n_variables), np.float32)

    def __len__(self) -> int:
        return self._n

    @property
    def steps(self) -> np.ndarray:
        """Step numbers, `[n]`, ascending."""
        return self._steps[: self._n]

    @property
    def scalars(self) -> np.ndarray:
        """Values per step, `[n, n_scalars]`."""
        return self._scalars[: self._n]

    @property
    def measures(self) -> np.ndarray:
        """Values per step and variable, `[n, n_measures, n_variables]`."""
        return self._measures[: self._n]

    def of_variable(self, index: int) -> RowBuffer:
        """Return a copy with the values of one of the variables."""
        own = copy(self)
        own._steps, own._ordinals = self._steps.copy(), self._ordinals.copy()
        own._scalars = self._scalars.copy()
        own._measures = self._measures[:, :, [index]]
        return own

    def append(self, step: int, scalars: np.ndarray, measures: np.ndarray) -> None:
        """Add the row of `step`; steps must ascend."""
        if self._n and step <= self._steps[self._n - 1]:
            raise ValueError(
                "Steps must ascend. "
                f"Received: step={step} after step={self._steps[self._n - 1]}"
            )
        if not self._last_is_kept:
            self._n -= 1  # the row that was kept only for being the last
        if self._n >= self.capacity - 1:
            self._thin()
        ordinal = self._next_ordinal(step)
        self._last_is_kept = self._n == 0 or ordinal < 0 or self._keeps(ordinal)
        self._write(self._n, step, ordinal, scalars, measures)
        self._n += 1

    def _next_ordinal(self, step: int) -> int:
        if step < WARMUP_STEPS:
            return WARMUP if is_warmup_step(step) else SPARE
        self._ordinal += 1
        return self._ordinal - 1

    def _keeps(self, ordinals: Any) -> Any:
        return (ordinals == WARMUP) | ((ordinals >= 0) & (ordinals % self._stride == 0))

    def _write(
        self,
        at: int,
        step: int,
        ordinal: int,
        scalars: np.ndarray,
        measures: np.ndarray,
    ) -> None:
        if at == len(self._steps):
            self._grow()
        self._steps[at] = step
        self._ordinals[at] = ordinal
        self._scalars[at] = scalars
        # norms are measured in float64: beyond float32 they are infinite, which is
        # what a run that diverges has to say, and no reason for a warning
        with np.errstate(over="ignore"):
            self._measures[at] = measures

    def _grow(self) -> None:
        size = min(max(32, 2 * len(self._steps)), self.capacity)
        for name in ("_steps", "_ordinals", "_scalars", "_measures"):
            old = getattr(self, name)
            new = np.zeros((size, *old.shape[1:]), old.dtype)
            new[: len(old)] = old
            setattr(self, name, new)

    def _thin(self) -> None:
        while self._n >= self.capacity - 1:
            # Every other ordinary row goes, so the rest are still spread evenly over
            # the run. Rows of the warm-up stay.
            self._stride *= 2
            ordinals = self._ordinals[: self._n]
            keep = self._keeps(ordinals)
            keep[0] = True
            kept = np.flatnonzero(keep)
            for array in (self._steps, self._ordinals, self._scalars):
                array[: len(kept)] = array[kept]
            for new, old in enumerate(kept):  # in place: no second large array
                self._measures[new] = self._measures[old]
            self._n = len(kept)
