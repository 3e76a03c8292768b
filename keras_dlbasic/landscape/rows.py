"""A data set in micro-batches."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import keras
import numpy as np

from keras_dlbasic._arguments import check_whole
from keras_dlbasic._data.read import read

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
    def of(
        cls, x: Any, y: Any, sample_weight: Any, micro_batch: int, model: Any = None
    ) -> Rows:
        """Read arrays, data frames, lists or structures of these, or a data set.

        Raises:
            ValueError: If they differ in length or do not fit the model, or
                `micro_batch` is no number of rows.
        """
        check_whole("micro_batch", micro_batch)
        found = read(x, y, sample_weight=sample_weight, model=model)
        n = found.n_rows
        return cls(found.x, found.y, found.sample_weight, n, min(int(micro_batch), n))

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


def _numbers(rows: Any) -> np.ndarray:
    """Return rows with floats as `model.fit` would give them to the model."""
    array = np.asarray(rows)
    if array.dtype == object or np.issubdtype(array.dtype, np.floating):
        return array.astype(keras.config.floatx())
    return array
