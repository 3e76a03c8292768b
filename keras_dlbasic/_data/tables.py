"""Data frames and series, of any package that narwhals knows."""

from __future__ import annotations

from typing import Any

import numpy as np


def array_of_table(leaf: Any, name: str) -> np.ndarray:
    """Return a data frame as `[rows, columns]`, a series as `[rows]`.

    Missing numbers become NaN.

    Args:
        leaf: A data frame or a series of pandas, polars, pyarrow or the like.
        name: How errors call it.

    Raises:
        ValueError: If a column holds no numbers, named in the message.
    """
    table = _read(leaf, name)
    if not hasattr(table, "columns"):
        return _numbers(table, f"`{name}`", is_alone=True)
    columns = [
        _numbers(column, f"Column {column.name!r} of `{name}`")
        for column in table.iter_columns()
    ]
    if not columns:
        raise ValueError(f"`{name}` is a table without columns.")
    if all(column.dtype.kind == "b" for column in columns):
        return np.stack(columns, axis=1)
    # booleans count as 0 and 1 beside numbers; NumPy would make objects of both
    kind = np.result_type(*(c.dtype for c in columns if c.dtype.kind != "b"))
    return np.stack([column.astype(kind) for column in columns], axis=1)


def columns_of(leaf: Any, name: str) -> dict[str, Any] | None:
    """Return the columns of a data frame by name.

    Args:
        leaf: A data frame or a series.
        name: How errors call it.

    Returns:
        A dictionary of series; None if `leaf` is a series itself.

    Raises:
        ValueError: If it is not computed yet.
    """
    table = _read(leaf, name)
    if not hasattr(table, "columns"):
        return None
    return {column: table[column].to_native() for column in table.columns}


def _read(leaf: Any, name: str) -> Any:
    import narwhals.stable.v1 as nw

    try:
        return nw.from_native(leaf, eager_only=True, allow_series=True)
    except TypeError as error:
        way = "`collect()`" if hasattr(leaf, "collect") else "`compute()`"
        raise ValueError(
            f"`{name}` is a {type(leaf).__name__}, which is not computed yet or no "
            f"table. Call its {way} first."
        ) from error


def is_missing(value: Any) -> bool:
    """Return whether a value is the one by which pandas says that there is none."""
    return type(value).__name__ == "NAType"


def _are_numbers(values: list[Any]) -> bool:
    """Return whether all that is there of some text can be read as numbers."""
    words = [value for value in values if isinstance(value, str)]
    try:
        return bool(words) and all(float(word) is not None for word in words)
    except ValueError:
        return False


def _numbers(column: Any, name: str, *, is_alone: bool = False) -> np.ndarray:
    """Return a column of numbers; words pass only if they are all there is."""
    import narwhals.stable.v1 as nw

    if column.dtype.is_numeric() or column.dtype == nw.Boolean:
        if column.null_count() and column.dtype == nw.Boolean:
            column = column.cast(nw.Float32)
        return np.asarray(column.to_numpy())
    values = column.to_numpy()
    is_text = column.dtype in (nw.String, nw.Categorical, nw.Enum)
    if is_alone and is_text:
        return np.asarray(values.tolist(), str)
    if column.dtype == nw.Object and not is_text:
        try:
            rows = [np.nan if is_missing(v) else v for v in values.tolist()]
            return np.stack([np.asarray(v, float) for v in rows])
        except (TypeError, ValueError):
            is_text = any(isinstance(value, str) for value in values.tolist())
    some = ", ".join(list(dict.fromkeys(map(repr, values.tolist())))[:2])
    what = f"text ({some}, ...)" if is_text else f"values of type {column.dtype}"
    if is_text and _are_numbers(values.tolist()):
        raise ValueError(
            f"{name} holds numbers as text ({some}, ...). Convert it to numbers, such "
            "as by `pandas.to_numeric`."
        )
    raise ValueError(
        f"{name} holds {what}, and a model takes numbers. Encode it, such as by "
        "`pandas.get_dummies` or `keras.utils.FeatureSpace`, or leave it out."
    )
