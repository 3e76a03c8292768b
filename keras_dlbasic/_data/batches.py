"""Rows of data sets, which come in batches of their own."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from keras_dlbasic._backends.generators import generators_kept
from keras_dlbasic._data.arrays import as_arrays
from keras_dlbasic._data.names import Names
from keras_dlbasic._data.row_sample import (
    SEED,
    RowSample,
    drawn_from_loader,
    joined,
    n_rows,
    row_shapes,
)

MAX_BATCHES = 64
"""Number of batches that are drawn from a data set that gives any batch."""

MAX_PASSED, MAX_PASSED_BYTES = 2048, 2**30
"""Limits for a data set that gives one batch after the other: rows are drawn from this
many of the first batches and bytes. For 60,000 small images this takes seconds."""

MAX_BYTES = 2**31
"""A data set that takes more memory is not read as a whole."""

ENDLESS = -1
"""Number of batches of a data set without end, as TensorFlow says it."""

Parts = tuple[Any, Any, Any]


@dataclass(frozen=True)
class SetRows:
    """Rows of a data set.

    Attributes:
        parts: `(x, y, sample_weight)`, each None where batches do not have it.
        is_sample: Whether there may be more rows.
        is_from_all: Whether each row of the data set could have been among these.
        n_passed: Number of batches that were read.
        batch_size: Rows in the first batch.
        n_batches: Number of batches of the data set, None if not known.
    """

    parts: Parts
    is_sample: bool
    is_from_all: bool
    n_passed: int
    batch_size: int
    n_batches: int | None


def rows_of(data: Any, most: int | None, names: Names) -> SetRows:
    """Return rows of a data set.

    The generators of the process are left as they are found. What a data set draws from
    a generator of its own it draws here as well.

    Args:
        data: A data set that can be read again and again.
        most: Number of rows that are drawn from a fixed seed. Of a `PyDataset` batches
            are drawn, up to 64; of a `DataLoader` without workers whose data give
            any row, rows; any other is read up to the bounds above, and rows drawn from
            that. Batches that differ in shape from the first are left out. None: all
            rows.
        names: What errors call inputs, targets and weights.

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
        if most is None:
            return _all_rows(data, n, names)
        return _some_rows(data, n, most, names)


def _all_rows(data: Any, n: int | None, names: Names) -> SetRows:
    kept: list[Parts] = []
    n_bytes = 0
    for batch in _by_number(data, range(n or 0)) if _is_py(data) else data:
        kept.append(_unpacked(batch, names))
        n_bytes += _bytes(kept[-1])
        if n_bytes > MAX_BYTES:
            raise ValueError(
                f"The data set of type {type(data).__name__} takes more than "
                f"{MAX_BYTES / 2**30:.0f} GiB, and all its rows are needed here. Give "
                f"arrays on disk (`numpy.memmap`), or {_part(data)}."
            )
    if not kept:
        raise _no_batches(data)
    others = [row_shapes(parts) for parts in kept]
    if other := next((shapes for shapes in others if shapes != others[0]), None):
        raise ValueError(
            f"Batches of the data set of type {type(data).__name__} differ in shape: "
            f"{others[0]} and {other} without the axis of rows. All rows are needed "
            "here in one array: pad them to the same length."
        )
    return SetRows(joined(kept), False, True, len(kept), n_rows(kept[0]), len(kept))


def _some_rows(data: Any, n: int | None, most: int, names: Names) -> SetRows:
    sample = RowSample(most)
    drawn = None if _is_py(data) else drawn_from_loader(data, most)
    size, n_bytes, n_passed = 0, 0, 0
    is_over = False
    for batch in _batches_to_draw(data, n) if drawn is None else drawn:
        parts = _unpacked(batch, names)
        sample.add(parts)
        size, n_passed = size or n_rows(parts), n_passed + 1
        n_bytes += _bytes(parts)
        if drawn is not None:
            continue
        if _is_py(data):
            is_enough = sample.n_seen >= most or n_passed >= MAX_BATCHES
        else:
            is_enough = n_passed >= MAX_PASSED or n_bytes >= MAX_PASSED_BYTES
        if is_enough:
            break
    else:
        is_over = True
    if not n_passed:
        raise _no_batches(data)
    is_all = drawn is None and (is_over or n_passed == n)
    is_sample = not is_all or sample.n_seen > most or sample.has_left_out
    by_number = drawn is not None or (_is_py(data) and n != ENDLESS)
    known = n if n is not None and n >= 0 else n_passed if is_all else None
    return SetRows(sample.rows(), is_sample, is_all or by_number, n_passed, size, known)


def _batches_to_draw(data: Any, n: int | None) -> Iterable[Any]:
    if not _is_py(data):
        return data
    if n is None or n == ENDLESS:
        return _by_number(data, range(MAX_BATCHES))
    # Reading ends as soon as there are rows enough, so the order itself is drawn: the
    # first batches of a set may all be of one class.
    order = np.random.default_rng(SEED).permutation(n)[:MAX_BATCHES]
    return _by_number(data, order)


def _by_number(data: Any, numbers: Iterable[Any]) -> Iterable[Any]:
    return (data[int(number)] for number in numbers)


def _is_py(data: Any) -> bool:
    return isinstance(data, keras.utils.PyDataset)


def _no_batches(data: Any) -> ValueError:
    return ValueError(f"The data set of type {type(data).__name__} has no batches.")


def _bytes(parts: Parts) -> int:
    return sum(a.nbytes for a in keras.tree.flatten(parts) if a is not None)


def _part(data: Any) -> str:
    """Return how to give fewer batches."""
    if hasattr(data, "take"):
        return "a part of it, such as `data.take(100)`"
    return "a data set with fewer batches, whose `len()` is known"


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
