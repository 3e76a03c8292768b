"""A data set in micro-batches."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import keras
import numpy as np

Batch = tuple[Any, Any, Any]


@dataclass(frozen=True)
class Rows:
    """Arrays that are read a micro-batch at a time.

    All micro-batches but the last have one number of rows, so that what is compiled is
    compiled for two shapes at most.

    Attributes:
        x: Inputs: an array or a structure of arrays.
        y: Targets, likewise, or None.
        sample_weight: Weights of the samples, likewise, or None.
        n: Number of rows.
        micro_batch: Rows in a micro-batch.
    """

    x: Any
    y: Any
    sample_weight: Any
    n: int
    micro_batch: int

    @classmethod
    def of(cls, x: Any, y: Any, sample_weight: Any, micro_batch: int) -> Rows:
        """Check the arrays.

        Raises:
            TypeError: If there are no arrays.
            ValueError: If they differ in length, or `micro_batch` is no number of rows.
        """
        if isinstance(micro_batch, bool) or not int(micro_batch) == micro_batch >= 1:
            raise ValueError(
                "`micro_batch` must be a whole number of rows, at least 1. Received: "
                f"micro_batch={micro_batch!r}"
            )
        x, y, sample_weight = (_as_arrays(part) for part in (x, y, sample_weight))
        leaves = [a for a in keras.tree.flatten((x, y, sample_weight)) if a is not None]
        for leaf in leaves:
            if not hasattr(leaf, "shape") or not len(leaf.shape):
                raise TypeError(
                    "`x` and `y` must be arrays or structures of arrays. Received an "
                    f"object of type {type(leaf).__name__}. Of a data set, give the "
                    "rows as arrays; they may lie on disk (`numpy.memmap`, HDF5)."
                )
        lengths = sorted({int(leaf.shape[0]) for leaf in leaves})
        if len(lengths) != 1 or not lengths[0]:
            raise ValueError(
                "`x` and `y` must have the same number of rows, at least one. "
                f"Received arrays of lengths {lengths}"
            )
        n = lengths[0]
        return cls(x, y, sample_weight, n, min(int(micro_batch), n))

    def batches(self) -> Iterator[tuple[Batch, float]]:
        """Yield micro-batches and their share of the rows."""
        for start in range(0, self.n, self.micro_batch):
            stop = min(start + self.micro_batch, self.n)
            yield self.cut(start, stop), (stop - start) / self.n

    def head(self, most: int) -> Rows:
        """Return the first rows: as many whole micro-batches as fit, at least one."""
        n = max(self.micro_batch, most - most % self.micro_batch)
        n = min(n, self.n)
        x, y, weight = keras.tree.map_structure(
            lambda leaf: None if leaf is None else np.asarray(leaf[:n]),
            (self.x, self.y, self.sample_weight),
        )
        return Rows(x, y, weight, n, self.micro_batch)

    def with_targets_of(self, order: np.ndarray) -> Rows:
        """Return the same rows with the targets of others."""
        y = keras.tree.map_structure(lambda leaf: np.asarray(leaf)[order], self.y)
        return replace(self, y=y)

    def cut(self, start: int, stop: int) -> Batch:
        """Return the rows from `start` to before `stop`."""
        x, y, weight = keras.tree.map_structure(
            lambda leaf: None if leaf is None else _numbers(leaf[start:stop]),
            (self.x, self.y, self.sample_weight),
        )
        return x, y, weight


def _as_arrays(data: Any) -> Any:
    return keras.tree.map_structure(_as_array, data)


def _as_array(leaf: Any) -> Any:
    if leaf is not None and keras.ops.is_tensor(leaf):
        return keras.ops.convert_to_numpy(leaf)
    return leaf.to_numpy() if hasattr(leaf, "iloc") else leaf


def _numbers(rows: Any) -> np.ndarray:
    """Return rows with floats as `model.fit` would give them to the model."""
    array = np.asarray(rows)
    if array.dtype == object or np.issubdtype(array.dtype, np.floating):
        return array.astype(keras.config.floatx())
    return array
