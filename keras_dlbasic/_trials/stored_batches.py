"""Batches of data that lie on disk."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from keras_dlbasic._trials.batch_sizes import count_rows, flatten, map_leaves


class StoredBatches(keras.utils.PyDataset):
    """Batches whose rows are read when they are needed.

    `model.fit(x, y)` reads data on disk as a whole: on TensorFlow arrays of any kind,
    on all backends HDF5 and what must be cast.

    Args:
        x: Inputs: an array or a list, tuple or dict of arrays.
        y: Targets, likewise.
        batch_size: Rows in a batch; the last one may be shorter.
        seed: For an order that is drawn anew for each epoch. Defaults to None: the
            order of the data.

    Example:
    >>> import numpy as np
    >>> from keras_dlbasic._trials.stored_batches import StoredBatches
    >>> data = StoredBatches(np.zeros((5, 2)), np.arange(5), batch_size=2)
    >>> len(data), data[2][1]
    (3, array([4]))
    """

    def __init__(
        self, x: Any, y: Any, *, batch_size: int, seed: int | None = None
    ) -> None:
        super().__init__()
        self._data, self._rows = (x, y), count_rows([x, y])
        self._batch_size = batch_size
        self._rng = None if seed is None else np.random.default_rng(seed)
        self._order = np.arange(self._rows)
        self.on_epoch_end()

    def __len__(self) -> int:
        return -(-self._rows // self._batch_size)

    def __getitem__(self, index: int) -> Any:
        """Return inputs and targets of a batch."""
        start = index * self._batch_size
        # HDF5 wants them in order
        return take(self._data, np.sort(self._order[start : start + self._batch_size]))

    def on_epoch_end(self) -> None:
        """Draw the order of the next epoch."""
        if self._rng is not None:
            self._order = self._rng.permutation(self._rows)


def take(data: Any, rows: np.ndarray) -> Any:
    """Return rows of all arrays in `data`."""
    return map_leaves(lambda leaf: np.asarray(leaf[rows]), data)


def sample(data: Any, most: int) -> Any:
    """Return up to `most` rows of all arrays in `data`, the same ones each time.

    They are drawn at random, since data are often sorted by class, and come in order,
    since a file on disk is read quickest so.
    """
    rows = np.random.default_rng(0).permutation(count_rows(data))[:most]
    return take(data, np.sort(rows))


def is_on_disk(data: Any) -> bool:
    """Return whether an array is a `numpy.memmap`, or of a kind that is read by rows.

    Those are HDF5, zarr and the like: not NumPy's, a backend's or pandas' own.
    """
    return any(_reads_rows(leaf) for leaf in flatten(data))


def _reads_rows(leaf: Any) -> bool:
    if isinstance(leaf, np.ndarray):
        return isinstance(_root(leaf), np.memmap)
    own = {"tensorflow", "jax", "jaxlib", "torch", "pandas", "scipy", "keras"}
    return type(leaf).__module__.partition(".")[0] not in own


def _root(array: np.ndarray) -> np.ndarray:
    """Return the array that `array` is a view of."""
    while isinstance(array.base, np.ndarray) and not isinstance(array, np.memmap):
        array = array.base
    return array
