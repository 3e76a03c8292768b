"""Rows of data sets, which come in batches of their own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import keras
import numpy as np

from keras_dlbasic._backends.generators import generators_kept
from keras_dlbasic._data.arrays import as_arrays
from keras_dlbasic._data.names import Names

MAX_BATCHES = 64
"""Number of batches that a sample of rows is drawn from."""

MAX_BYTES = 2**31
"""A data set that takes more memory is not read as a whole."""

ENDLESS = -1
"""Number of batches of a data set without end, as TensorFlow says it."""

Parts = tuple[Any, Any, Any]


def rows_of(
    data: Any, most: int | None, names: Names
) -> tuple[Parts, bool, dict[str, int | None]]:
    """Return inputs, targets and sample weights of a data set.

    The generators of the process are left as they are found. What a data set draws from
    a generator of its own it draws here as well.

    Args:
        data: A data set that can be read again and again.
        most: Batches are read until there are this many rows, at most 64 of them: of
            a `PyDataset` batches drawn at random from a fixed seed, of others the first
            ones. Batches that differ in shape from the first are left out. None: all
            rows.
        names: What errors call inputs, targets and weights.

    Returns:
        `(x, y, sample_weight)`, each None where batches do not have it; whether there
        may be more rows; and `batch_size` and `n_batches`.

    Raises:
        ValueError: If there are no batches, no end of them, more than memory should
            take, or, where all rows are asked for, batches that differ in shape.
    """
    n = _length(data)
    if most is None and n == ENDLESS:
        raise ValueError(
            f"The data set of type {type(data).__name__} never ends, and all its rows "
            f"are needed here. Give {_part(data)}, or arrays."
        )
    with generators_kept():
        kept, is_part = _read(data, n, most, names)
    if not kept:
        raise ValueError(f"The data set of type {type(data).__name__} has no batches.")
    size = len(next(a for a in keras.tree.flatten(kept[0]) if a is not None))
    n_batches = n if n is not None and n >= 0 else None if is_part else len(kept)
    same = [parts for parts in kept if row_shapes(parts) == row_shapes(kept[0])]
    if most is None and len(same) < len(kept):
        raise ValueError(
            f"Batches of the data set of type {type(data).__name__} differ in shape: "
            f"{row_shapes(kept[0])} and {_another(kept)} without the axis of rows. All "
            "rows are needed here in one array: pad them to the same length."
        )
    is_part |= len(same) < len(kept)
    return _joined(same), is_part, {"batch_size": size, "n_batches": n_batches}


def _part(data: Any) -> str:
    """Return how to give fewer batches."""
    if hasattr(data, "take"):
        return "a part of it, such as `data.take(100)`"
    return "a data set with fewer batches, whose `len()` is known"


def _another(kept: list[Parts]) -> list[tuple[int, ...]]:
    first = row_shapes(kept[0])
    return next(shapes for shapes in map(row_shapes, kept) if shapes != first)


def _read(
    data: Any, n: int | None, most: int | None, names: Names
) -> tuple[list[Parts], bool]:
    """Return the batches that are read, and whether there may be more."""
    kept: list[Parts] = []
    n_bytes = n_rows = 0
    for batch in _batches(data, n, most):
        parts = _unpacked(batch, names)
        kept.append(parts)
        leaves = [a for a in keras.tree.flatten(parts) if a is not None]
        n_bytes += sum(array.nbytes for array in leaves)
        n_rows += len(leaves[0])
        if most is not None and (n_rows >= most or len(kept) == MAX_BATCHES):
            return kept, len(kept) != n
        if most is None and n_bytes > MAX_BYTES:
            raise ValueError(
                f"The data set of type {type(data).__name__} takes more than "
                f"{MAX_BYTES / 2**30:.0f} GiB, and all its rows are needed here. Give "
                f"arrays on disk (`numpy.memmap`), or {_part(data)}."
            )
    return kept, False


def _length(data: Any) -> int | None:
    """Return the number of batches, `ENDLESS`, or None if it is not known."""
    if isinstance(data, keras.utils.PyDataset):
        n = data.num_batches
        return ENDLESS if n is None else int(n)
    if hasattr(data, "cardinality"):  # TensorFlow's: -2 if it is not known
        n = int(data.cardinality())
        return n if n >= ENDLESS else None
    try:
        return len(data)
    except TypeError:  # a `DataLoader` of a stream
        return None


def _batches(data: Any, n: int | None, most: int | None) -> Iterator[Any]:
    if not isinstance(data, keras.utils.PyDataset) or n is None:
        return iter(data)
    if n == ENDLESS:
        return (data[i] for i in range(MAX_BATCHES))
    order = np.arange(n)
    if most is not None:
        # Reading ends as soon as there are rows enough, so the order itself is drawn:
        # the first batches of a set may all be of one class.
        order = np.random.default_rng(0).permutation(n)[:MAX_BATCHES]
    return (data[int(i)] for i in order)


def _unpacked(batch: Any, names: Names) -> Parts:
    x, y, weight = keras.utils.unpack_x_y_sample_weight(batch)
    if any(not np.ndim(leaf) for leaf in keras.tree.flatten(y) if leaf is not None):
        raise ValueError(
            "The data set gives single rows and no batches: their targets are single "
            "values. Make batches of it, such as by `data.batch(32)`."
        )
    return (
        as_arrays(x, names.x),
        as_arrays(y, names.y),
        as_arrays(weight, names.sample_weight),
    )


def _joined(parts: list[Parts]) -> Parts:
    """Join batches of the same shape."""
    x, y, weight = keras.tree.map_structure(
        lambda *arrays: None if arrays[0] is None else np.concatenate(arrays), *parts
    )
    return x, y, weight


def row_shapes(data: Any) -> list[tuple[int, ...]]:
    """Return the shape of a row of each array in a structure."""
    return [np.shape(leaf)[1:] for leaf in keras.tree.flatten(data)]
