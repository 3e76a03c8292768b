"""The command `keras-dlbasic convert`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path

from keras_dlbasic._nearest import nearest
from keras_dlbasic.command_line.exit_codes import BAD_INPUT, FINE
from keras_dlbasic.command_line.runs import complain, read
from keras_dlbasic.records.printable import printable

ENDS = {".csv": "csv", ".parquet": "parquet", ".pq": "parquet", "": "tensorboard"}


def convert(given: argparse.Namespace, columns: Mapping[str, str]) -> int:
    """Write what a run recorded for other tools.

    Args:
        given: The arguments.
        columns: Names of columns by the names that Keras gives them.

    Returns:
        The exit code.
    """
    from keras_dlbasic.records.plain_tables import plain_table, tables
    from keras_dlbasic.records.table_files import write_csv, write_parquet

    target = given.to or ENDS.get(given.output.suffix.lower())
    if target is None:
        complain(
            f"the format of {given.output.name!r} is not known; expected a name that "
            "ends with .csv or .parquet, a folder for TensorBoard, or --to."
        )
        return BAD_INPUT
    record = read(given.run, columns)
    if record is None:
        return BAD_INPUT
    if target != "tensorboard" and given.table not in tables(record):
        known = nearest(given.table, tables(record))
        complain(f"the record has no table {given.table!r}. {known}")
        return BAD_INPUT
    try:
        written: Path = given.output
        if target == "tensorboard":
            written = record.to_tensorboard(given.output)
        elif target == "csv":
            write_csv(plain_table(record, given.table), given.output)
        else:
            write_parquet(plain_table(record, given.table), given.output)
    except (OSError, ImportError) as error:
        complain(str(error))
        return BAD_INPUT
    sys.stdout.write(printable(f"Wrote {written}") + "\n")
    return FINE
