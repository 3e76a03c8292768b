"""Data in the forms that users have them, as NumPy arrays."""

from __future__ import annotations

import numbers
from collections.abc import Iterable, Mapping
from os import PathLike
from typing import Any

import keras
import numpy as np

from keras_dlbasic._arguments import shown
from keras_dlbasic._data import kinds
from keras_dlbasic._data.tables import array_of_table, is_missing

MAX_BYTES = 2**30
"""Sparse matrices that would be larger than this are not made dense."""

EXPECTED = (
    "must be an array of samples, a tensor, a data frame, a list of numbers, or a "
    "list, tuple or dictionary of these"
)

ROW = (numbers.Number, str, bytes, np.generic, type(None))
"""What a list of rows has at its bottom."""


def as_arrays(data: Any, name: str = "x") -> Any:
    """Return a structure with NumPy arrays in the place of all else that holds numbers.

    Arrays on disk stay there: a `numpy.memmap`, and what reads rows when they are asked
    for (HDF5, zarr).

    Args:
        data: An array, a tensor of any backend, a data frame or series, a sparse matrix
            of SciPy, a list of numbers, or a list, tuple or dictionary of these.
            None stays None.
        name: How errors call it. Defaults to `"x"`.

    Raises:
        ValueError: If it holds something else.

    Example:
    >>> from keras_dlbasic._data.arrays import as_arrays
    >>> as_arrays({"a": [1, 2], "b": None})
    {'a': array([1, 2]), 'b': None}
    """
    if data is None:
        return None
    if isinstance(data, Mapping) and not isinstance(data, np.lib.npyio.NpzFile):
        return {k: as_arrays(part, f"{name}[{k!r}]") for k, part in data.items()}
    if isinstance(data, (list, tuple)):
        if _is_list_of_rows(data):
            return _from_list(data, name)
        parts = [as_arrays(part, f"{name}[{i}]") for i, part in enumerate(data)]
        return parts if isinstance(data, list) else tuple(parts)
    return as_array(data, name)


def as_array(leaf: Any, name: str = "x") -> Any:
    """Return an array, a tensor, a data frame or the like as a NumPy array."""
    if kinds.is_table(leaf):
        array = array_of_table(leaf, name)
    elif isinstance(leaf, np.ndarray):
        array = leaf
    elif kinds.is_sparse(leaf):
        array = _dense(leaf, name)
    elif keras.ops.is_tensor(leaf) or kinds.is_tensor(leaf):
        array = _of_tensor(leaf, name)
    elif kinds.reads_rows(leaf) and len(leaf.shape):
        return leaf
    elif hasattr(leaf, "__array__"):
        array = np.asarray(leaf)
    else:
        raise ValueError(f"`{name}` {EXPECTED}. {received(leaf)}")
    if np.ma.isMaskedArray(array) and np.ma.is_masked(array):
        raise ValueError(
            f"`{name}` is a masked array, whose mask Keras ignores. Fill it: "
            f"`{name}.filled(0)`."
        )
    if not np.ndim(array):
        raise ValueError(f"`{name}` {EXPECTED}. Received a single value: {leaf!r}")
    if array.dtype.kind == "O":
        array = _from_objects(array, name)
    if array.dtype.kind in "mM":
        raise ValueError(
            f"`{name}` holds dates or times (dtype {array.dtype}). Convert them to "
            f"numbers, such as days since the first: `({name} - {name}.min()) / "
            "numpy.timedelta64(1, 'D')`."
        )
    return array


def _is_list_of_rows(data: Any) -> bool:
    """Return whether a list holds numbers or words, at any depth, and no arrays."""
    while isinstance(data, (list, tuple)) and len(data):
        data = data[0]
    return isinstance(data, ROW)


def _from_list(data: Any, name: str) -> np.ndarray:
    try:
        array = np.asarray(data)
    except ValueError:
        array = None
    if array is None:
        raise _ragged([row for row in data if isinstance(row, (list, tuple))], name)
    return _from_objects(array, name) if array.dtype.kind == "O" else array


def _from_objects(array: np.ndarray, name: str) -> np.ndarray:
    """Return numbers or words that an array holds as objects of Python."""
    values = array.ravel()
    missing = [is_missing(value) for value in values]
    if any(missing):
        array = np.where(np.reshape(missing, array.shape), np.nan, array)
        values = array.ravel()
    if all(isinstance(value, str) for value in values):
        return array.astype(str)
    if all(isinstance(value, (list, tuple, np.ndarray)) for value in values):
        if len({np.shape(value) for value in values}) == 1:
            return np.stack([np.asarray(value) for value in array])
        raise _ragged(values, name)
    try:
        return array.astype(keras.config.floatx())
    except (TypeError, ValueError):
        real = (numbers.Real, type(None))
        odd = next((v for v in values if not isinstance(v, real)), values[0])
        raise ValueError(
            f"`{name}` holds {type(odd).__name__} {str(odd)[:40]!r} among numbers. "
            "Encode it as a number, or leave it out."
        ) from None


def _of_tensor(leaf: Any, name: str) -> np.ndarray:
    try:
        if keras.ops.is_tensor(leaf):
            return np.asarray(keras.ops.convert_to_numpy(leaf))
        if hasattr(leaf, "detach"):  # PyTorch's, under another backend
            leaf = leaf.detach().cpu()
        return np.asarray(leaf)
    except Exception as error:  # ragged tensors; types that NumPy does not have
        raise ValueError(
            f"`{name}` cannot be made a NumPy array: {type(leaf).__name__} "
            f"({str(error)[:120]}). Give a dense tensor of numbers."
        ) from error


def _dense(leaf: Any, name: str) -> np.ndarray:
    size = int(np.prod(leaf.shape)) * leaf.dtype.itemsize
    if size > MAX_BYTES:
        raise ValueError(
            f"`{name}` is a sparse matrix of shape {leaf.shape}, which would take "
            f"{size / 2**30:.1f} GiB as an array. Give fewer rows, such as "
            f"`{name}[:1000]`."
        )
    return np.asarray(leaf.toarray())


def received(leaf: Any) -> str:
    """Return what was given in the place of data, and the way out."""
    kind = type(leaf).__name__
    if kinds.is_one_shot(leaf):
        return f"Received an iterator of type {kind}."
    if kinds.is_data_set(leaf):
        return f"Received a data set of type {kind}. Pass it as `x` alone."
    if kinds.is_set_of_rows(leaf):
        return (
            f"Received a {kind} of single rows. Batch it: "
            "`torch.utils.data.DataLoader(data, batch_size=32)`."
        )
    if isinstance(leaf, np.lib.npyio.NpzFile):
        return f"Received a file of arrays. Take one of them: {list(leaf)[:5]}."
    if isinstance(leaf, (str, bytes, PathLike)):
        return f"Received {shown(leaf)}. Load the file first, such as by `numpy.load`."
    if isinstance(leaf, keras.Model):
        return (
            f"Received the model '{leaf.name}'. A function takes the model first, and "
            "then the data; a callback gets the model from `model.fit`, and is given "
            "the data only."
        )
    if hasattr(leaf, "collect"):
        return f"Received a {kind} that is not computed yet. Call its `collect()`."
    if callable(leaf):
        return f"Received the function or class {shown(leaf)}. Call it first."
    value = f": {leaf!r}" if isinstance(leaf, numbers.Number) else ""
    return f"Received an object of type {kind}{value}."


def _ragged(rows: Iterable[Any], name: str) -> ValueError:
    lengths = sorted({len(row) for row in rows})
    return ValueError(
        f"`{name}` holds rows of different lengths ({_few(lengths)}), which make no "
        f"array. Pad them, such as by `keras.utils.pad_sequences({name})`."
    )


def _few(values: list[int]) -> str:
    shown = [str(value) for value in values]
    return ", ".join(shown if len(shown) < 4 else [*shown[:2], "...", shown[-1]])
