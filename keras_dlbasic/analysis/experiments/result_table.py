"""The table of a result."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

import numpy as np


class ResultTable(Mapping[str, np.ndarray]):
    """Columns by name that print as a table; where pandas is not installed.

    Args:
        columns: Arrays of one length by name.

    Example:
    >>> from keras_dlbasic.analysis.experiments.result_table import ResultTable
    >>> print(ResultTable({"remedy": ["none", "L2"], "error": [0.25, 0.125]}))
    remedy  error
      none   0.25
        L2  0.125
    """

    def __init__(self, columns: Mapping[str, Any]) -> None:
        self._columns = {name: np.asarray(c) for name, c in columns.items()}

    def __getitem__(self, name: str) -> np.ndarray:
        return self._columns[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._columns)

    def __len__(self) -> int:
        return len(self._columns)

    def __str__(self) -> str:
        rows = [list(self), *self._rows()]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        return "\n".join(
            "  ".join(
                f"{cell:>{width}}" for cell, width in zip(row, widths, strict=True)
            )
            for row in rows
        )

    __repr__ = __str__

    def _repr_html_(self) -> str:
        rows = [[f"<td>{escape(cell)}</td>" for cell in row] for row in self._rows()]
        head = "".join(f"<th>{escape(name)}</th>" for name in self)
        body = "".join(f"<tr>{''.join(row)}</tr>" for row in rows)
        return f"<table><tr>{head}</tr>{body}</table>"

    def _rows(self) -> list[list[str]]:
        columns = [[_cell(value) for value in c.tolist()] for c in self.values()]
        return [list(row) for row in zip(*columns, strict=True)]


def as_table(columns: Mapping[str, Any]) -> Any:
    """Return a `pandas.DataFrame`, or a `ResultTable` where pandas is not installed.

    Args:
        columns: Arrays of one length by name.
    """
    try:
        import pandas as pd
    except ImportError:
        return ResultTable(columns)
    return pd.DataFrame(dict(columns))


def _cell(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
