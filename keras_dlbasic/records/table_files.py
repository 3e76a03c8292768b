"""Tables as files."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from keras_dlbasic.records.atomic_file import atomic_file

Table = Mapping[str, np.ndarray]


def write_csv(table: Table, path: Path) -> None:
    """Write a table with a header, whole or not at all; `from_csv` reads one of epochs.

    Numbers have as many digits as it takes to read them back unchanged.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(table)
    writer.writerows(zip(*(column.tolist() for column in table.values()), strict=True))
    with atomic_file(path) as file:
        file.write(text.getvalue().encode())


def write_parquet(table: Table, path: Path) -> None:
    """Write a table in the format of Parquet.

    Raises:
        ImportError: If pyarrow is not installed.
    """
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError as error:
        raise ImportError(
            "Parquet needs the package pyarrow: pip install pyarrow"
        ) from error
    with atomic_file(path) as file:
        parquet.write_table(pyarrow.table(dict(table)), file)
