"""The batches that pass in the first epoch of a fit, as far as they are read."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np

from keras_dlbasic._data.row_sample import row_shapes
from keras_dlbasic.analysis.evenly import evenly

MOST_BATCHES = 64

MOST_BYTES = 2**26
"""So much memory all rows may take together, and their targets and weights again."""


@dataclass
class PassingBatches:
    """Keeps rows of batches, up to a bound, and never draws any.

    Which batches are read is planned before the epoch (`sampling.reading_plan`), and
    which rows are kept of each depends on their size alone. So the same fit gives the
    same rows. What is kept is a copy; the fit has the batch all the same.

    Attributes:
        parts: Inputs and targets of the rows kept of each batch, `(x, y)`; only those
            of the shape of the first, since others cannot be joined to one probe, and
            with a target for each input.
        targets: Targets of the rows of each batch that was read.
        weights: Their sample weights, None where there are none.
    """

    parts: list[tuple[Any, Any]] = field(default_factory=list)
    targets: list[Any] = field(default_factory=list)
    weights: list[Any] = field(default_factory=list)

    def take(self, x: Any, y: Any, weights: Any) -> bool:
        """Keep rows of a batch.

        Args:
            x: Inputs, on any device; without leaves where they cannot be had.
            y: Targets or None.
            weights: Sample weights or None.

        Returns:
            Whether no further batch is asked for.
        """
        if not keras.tree.flatten(x):
            return True
        x, y, weights = keras.tree.map_structure(
            lambda leaf: None if leaf is None else keras.ops.convert_to_numpy(leaf),
            (x, y, weights),
        )
        # Inputs of other shapes cannot be joined to the first ones, and rows that are
        # not in step not to each other. Their targets and weights are counted all the
        # same.
        if _are_in_step((x, y)) and (
            not self.parts or row_shapes((x, y)) == row_shapes(self.parts[0])
        ):
            self.parts.append(some_rows((x, y)))
        if _are_in_step((y, weights)):
            targets, weights = some_rows((y, weights))
            self.targets.append(targets)
            self.weights.append(weights)
        return len(self.targets) >= MOST_BATCHES

    def joined(self) -> tuple[Any, Any]:
        """Return inputs and targets of all rows kept, `(x, y)`, in their order."""
        joined: tuple[Any, Any] = joined_rows(self.parts)
        return joined

    def drop(self) -> None:
        """Let go of all rows."""
        self.parts, self.targets, self.weights = [], [], []


def _are_in_step(data: Any) -> bool:
    """Return whether all arrays of a structure have as many rows."""
    return len({len(leaf) for leaf in keras.tree.flatten(data) if np.ndim(leaf)}) < 2


def some_rows(data: Any) -> Any:
    """Return as many rows as a batch may keep, evenly chosen."""
    arrays = [leaf for leaf in keras.tree.flatten(data) if np.ndim(leaf)]
    if not arrays:
        return data
    n = len(arrays[0])
    # Each batch gets an equal part of the memory, so that all `MOST_BATCHES` fit.
    size = sum(array.nbytes for array in arrays) / max(1, n)
    most = max(1, int(MOST_BYTES / MOST_BATCHES / max(size, 1)))
    if n <= most:
        return data
    rows = evenly(n, most)
    return keras.tree.map_structure(
        lambda leaf: leaf[rows] if np.ndim(leaf) else leaf, data
    )


def joined_rows(parts: list[Any]) -> Any:
    """Join structures of arrays of rows."""
    return keras.tree.map_structure(_joined, *parts)


def _joined(*parts: Any) -> Any:
    return np.concatenate(parts) if np.ndim(parts[0]) else parts[0]
