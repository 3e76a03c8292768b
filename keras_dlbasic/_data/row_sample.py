"""A sample of rows that pass in batches, and of rows that can be asked for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import keras
import numpy as np

SEED = 0
"""So the same data set gives the same rows each time."""


class RowSample:
    """Keeps rows of batches that pass, each as likely as any other.

    Each row gets a random number as it passes, and those with the lowest numbers are
    kept, in the order in which they came. So it need not be known how many follow.

    Args:
        most: Number of rows that are kept.

    Attributes:
        n_seen: Number of rows that have passed.
        has_left_out: Whether a batch differed in shape from the first one, with which
            it could not be joined.
    """

    def __init__(self, most: int) -> None:
        self.n_seen = 0
        self.has_left_out = False
        self._most = most
        self._draws = np.random.default_rng(SEED)
        self._below = np.inf  # rows with higher numbers than this are not kept
        self._numbers: list[np.ndarray] = []
        self._parts: list[Any] = []

    def add(self, batch: Any) -> None:
        """Show it a batch: a structure of arrays, or None for what there is none of."""
        n = n_rows(batch)
        self.n_seen += n
        if self._parts and row_shapes(batch) != row_shapes(self._parts[0]):
            self.has_left_out = True
            return
        numbers = self._draws.random(n)
        chosen = np.flatnonzero(numbers <= self._below)
        if len(chosen) or not self._parts:
            self._numbers.append(numbers[chosen])
            self._parts.append(_taken(batch, chosen))
        # Joined ever so often, which costs a copy, and not for each batch.
        if sum(map(len, self._numbers)) >= 2 * self._most:
            self._join()

    def rows(self) -> Any:
        """Return the rows kept as one structure of arrays."""
        self._join()
        return self._parts[0]

    def _join(self) -> None:
        numbers, rows = np.concatenate(self._numbers), joined(self._parts)
        if len(numbers) > self._most:
            kept = np.sort(np.argpartition(numbers, self._most)[: self._most])
            numbers, rows = numbers[kept], _taken(rows, kept)
            self._below = numbers.max()
        self._numbers, self._parts = [numbers], [rows]


def drawn_from_loader(loader: Any, most: int) -> Iterator[Any] | None:
    """Return batches of some rows of PyTorch's `DataLoader`, drawn from all over.

    Only these rows are asked for, and made batches of as the loader would: by the
    `__getitem__` and the transforms of its data, and its `collate_fn`.

    Args:
        loader: A `DataLoader`.
        most: Number of rows.

    Returns:
        An iterator of batches, their rows in the order of the data; None if only the
        loader knows which rows there are, its workers read them, or there are no more
        than these.
    """
    if not _takes_rows_by_number(loader) or len(loader.dataset) <= most:
        return None
    n, size = len(loader.dataset), loader.batch_size
    chosen = np.random.default_rng(SEED).choice(n, most, replace=False)
    rows = np.sort(chosen).tolist()
    parts = (rows[start : start + size] for start in range(0, most, size))
    return (loader.collate_fn(_fetched(loader.dataset, part)) for part in parts)


def _fetched(data: Any, rows: list[int]) -> Any:
    if getattr(data, "__getitems__", None):  # PyTorch prefers it, too
        return data.__getitems__(rows)
    return [data[row] for row in rows]


def _takes_rows_by_number(loader: Any) -> bool:
    """Return whether a loader goes through all rows of data that give any row."""
    # A subclass, or a sampler of the user's, may leave rows out or weigh them.
    if not _is_torchs(loader, "DataLoader") or loader.batch_size is None:
        return False
    # Its data may open a file at the first row, or in `worker_init_fn`, which only
    # workers are to do: opened here, workers that are forked later would share it.
    if loader.num_workers or loader.worker_init_fn is not None:
        return False
    sampler = loader.sampler
    is_plain = _is_torchs(sampler, "SequentialSampler", "RandomSampler")
    is_plain = is_plain and _is_torchs(loader.batch_sampler, "BatchSampler")
    return is_plain and sampler.data_source is loader.dataset


def _is_torchs(thing: Any, *names: str) -> bool:
    kind = type(thing)
    return kind.__module__.partition(".")[0] == "torch" and kind.__name__ in names


def joined(batches: list[Any]) -> Any:
    """Join batches of the same shape."""
    return keras.tree.map_structure(
        lambda *arrays: None if arrays[0] is None else np.concatenate(arrays), *batches
    )


def row_shapes(data: Any) -> list[tuple[int, ...]]:
    """Return the shape of a row of each array in a structure."""
    return [np.shape(leaf)[1:] for leaf in keras.tree.flatten(data)]


def n_rows(batch: Any) -> int:
    """Return the number of rows of a structure of arrays."""
    return len(next(a for a in keras.tree.flatten(batch) if a is not None))


def _taken(data: Any, rows: np.ndarray) -> Any:
    return keras.tree.map_structure(
        lambda leaf: None if leaf is None else leaf[rows], data
    )
