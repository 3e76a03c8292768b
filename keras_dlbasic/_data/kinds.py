"""Which kind of data something is, told without importing where it comes from."""

from __future__ import annotations

from typing import Any

import keras

TABLES = ("pandas", "polars", "pyarrow", "modin", "cudf", "narwhals", "dask")
"""Packages of which a class with columns or a name is a table or a column of one."""

PANDAS_ARRAYS = (("pandas", "ExtensionArray"), ("pandas", "Index"))
"""Classes of a package that are arrays there, and no tables."""

TENSORS = ("tensorflow", "jax", "jaxlib", "torch", "keras")
"""Packages of which a class with a shape is a tensor."""


def is_one_shot(data: Any) -> bool:
    """Return whether data can be read only once, as a generator can."""
    # Keras' image iterators are both: they can be asked for a batch by its number, too
    return hasattr(data, "__next__") and not isinstance(data, keras.utils.PyDataset)


def is_data_set(data: Any) -> bool:
    """Return whether data come in batches of their own and can be read again.

    So it is with a `keras.utils.PyDataset`, a `tf.data.Dataset` and PyTorch's
    `DataLoader`.
    """
    return isinstance(data, keras.utils.PyDataset) or _is_a(
        data, ("tensorflow", "DatasetV2"), ("torch", "DataLoader")
    )


def makes_batches(data: Any) -> bool:
    """Return whether data come in batches of their own, once or again and again."""
    return is_one_shot(data) or is_data_set(data)


def is_set_of_rows(data: Any) -> bool:
    """Return whether data are PyTorch's `Dataset`, which gives one row at a time."""
    return _is_a(data, ("torch", "Dataset"))


def is_table(leaf: Any) -> bool:
    """Return whether something is a data frame, or a column of one."""
    has_columns = hasattr(leaf, "columns") or hasattr(leaf, "name")
    is_known = _package(type(leaf)) in TABLES and hasattr(leaf, "shape")
    is_known = is_known or hasattr(leaf, "__narwhals_dataframe__")
    # what pandas gives for `.values` is an array, and so is an index
    is_array = _is_a(leaf, *PANDAS_ARRAYS)
    return is_known and not is_array and (has_columns or hasattr(leaf, "to_numpy"))


def is_tensor(leaf: Any) -> bool:
    """Return whether something is a tensor of any backend, in use or not."""
    return _package(type(leaf)) in TENSORS and hasattr(leaf, "shape")


def is_sparse(leaf: Any) -> bool:
    """Return whether something is a sparse matrix or array of SciPy."""
    return _package(type(leaf)) == "scipy" and hasattr(leaf, "toarray")


def reads_rows(leaf: Any) -> bool:
    """Return whether something reads rows when they are asked for, as HDF5 does."""
    is_array = hasattr(leaf, "dtype") or hasattr(leaf, "__array__")
    return is_array and hasattr(leaf, "shape") and hasattr(leaf, "__getitem__")


def _is_a(data: Any, *kinds: tuple[str, str]) -> bool:
    return any((_package(kind), kind.__name__) in kinds for kind in type(data).__mro__)


def _package(kind: type) -> str:
    return kind.__module__.partition(".")[0]
