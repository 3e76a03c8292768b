"""What is around a place of a picture."""

from __future__ import annotations

import math

import numpy as np

MOST_BLOCKS = 4096
"""Pictures of more places are averaged over blocks."""


class Boxes:
    """Means and deviations of boxes around places of pictures.

    They come from sums up to each place, so that a box of any size takes as long.

    Args:
        pictures: Values, `[n, *space, channels]`.
        places: Number of places along each axis of space; a picture has as many values
            there, or a multiple.
    """

    def __init__(self, pictures: np.ndarray, places: tuple[int, ...]) -> None:
        self.places = places
        factors = np.array(pictures.shape[1:-1]) // np.array(places)
        self._factors, self._given = factors[:, None], pictures
        pictures, self._blocks = _shrunk(pictures)
        self.space = pictures.shape[1:-1]
        self._sums, self._squares = _summed(pictures), _summed(pictures**2)
        flat = pictures.reshape(len(pictures), -1, pictures.shape[-1])
        self._whole = np.hstack([flat.mean(axis=1), flat.std(axis=1)])

    def values(self, places: np.ndarray) -> np.ndarray:
        """Return the values, `[n, channels]`, at places `[1 + axes, n]`, rows first."""
        at = self._at(places)
        picked: np.ndarray = self._given[(places[0], *at)]
        return picked

    def _at(self, places: np.ndarray) -> np.ndarray:
        middle: np.ndarray = places[1:] * self._factors + self._factors // 2
        return middle

    def features(self, places: np.ndarray) -> np.ndarray:
        """Return features, `[n, width]`, at places `[1 + axes, n]`, rows first."""
        rows, at = places[0], self._at(places) // self._blocks
        around = max(1, int(self._factors.max()) // self._blocks)
        side = min(self.space)
        found = [self.values(places), self._whole[rows]]
        for size in (around, max(2, side // 12), max(4, side // 5)):
            mean = self._mean(rows, at, size)
            found += [mean, self._deviation(rows, at, size, mean)]
            for axis in range(len(at)):
                step = np.zeros((len(at), 1), int)
                step[axis] = size + 1
                after, before = (
                    self._mean(rows, at + sign * step, size) for sign in (1, -1)
                )
                found.append(after - before)
        return np.hstack(found)

    def _deviation(
        self, rows: np.ndarray, at: np.ndarray, radius: int, mean: np.ndarray
    ) -> np.ndarray:
        square = self._mean(rows, at, radius, self._squares)
        deviation: np.ndarray = np.sqrt(np.maximum(square - mean**2, 0.0))
        return deviation

    def _mean(
        self,
        rows: np.ndarray,
        at: np.ndarray,
        radius: int,
        summed: np.ndarray | None = None,
    ) -> np.ndarray:
        summed = self._sums if summed is None else summed
        ends = np.array(self.space)[:, None]
        at = np.clip(at, 0, ends - 1)
        low, high = np.maximum(at - radius, 0), np.minimum(at + radius + 1, ends)
        total = np.zeros((len(rows), summed.shape[-1]))
        for corner in np.ndindex(*(2,) * len(at)):
            picked = np.where(np.array(corner)[:, None], high, low)
            sign = (-1) ** (len(at) - sum(corner))
            total += sign * summed[(rows, *picked)]
        return total / np.prod(high - low, axis=0)[:, None]


def _shrunk(pictures: np.ndarray) -> tuple[np.ndarray, int]:
    """Return pictures of limited size, of means of blocks, and the side of a block."""
    n, *space, channels = pictures.shape
    axes = len(space)
    side = math.ceil((math.prod(space) / MOST_BLOCKS) ** (1 / axes))
    if side < 2 or min(space) < 2 * side:
        return pictures, 1
    kept = tuple(slice(length // side * side) for length in space)
    parts = [size for length in space for size in (length // side, side)]
    blocks = pictures[(slice(None), *kept)].reshape(n, *parts, channels)
    return blocks.mean(axis=tuple(range(2, 2 + 2 * axes, 2))), side


def _summed(pictures: np.ndarray) -> np.ndarray:
    """Return sums over all places before each, along every axis of space."""
    axes = range(1, pictures.ndim - 1)
    pictures = pictures.astype(np.float64)
    for axis in axes:
        pictures = np.cumsum(pictures, axis=axis)
    return np.pad(pictures, [(0, 0), *[(1, 0) for _ in axes], (0, 0)])
