"""Records of epochs, from tables that other tools leave behind."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator, Mapping
from itertools import groupby
from pathlib import Path
from typing import TypeVar

from keras_dlbasic.records.column_names import keras_names
from keras_dlbasic.records.existing_file import check_file
from keras_dlbasic.records.printable import printable
from keras_dlbasic.records.record_data import RecordData

Record = TypeVar("Record", bound=RecordData)

MAX_EPOCH = 2**53
"""Floats from here on have no number of their own for each epoch."""

Row = dict[str, float]
"""The numbers of a row by name; an empty cell is not among them."""


def record_from_csv(
    path: Path,
    record_type: type[Record],
    *,
    columns: Mapping[str, str] | None = None,
) -> Record:
    """Make a record of a table of epochs.

    Args:
        path: The file.
        record_type: What to make.
        columns: Names of columns by the names that Keras gives them.
    """
    if path.suffix in (".keras", ".h5"):
        raise ValueError(
            f"{str(path)!r} is a saved model. Expected a record of its training, saved "
            "by `doctor.record.save(path)`, or a table of epochs."
        )
    check_file(path)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise _no_table(str(path), error) from error
    return record_from_text(text, str(path), record_type, columns=columns)


def record_from_text(
    text: str,
    name: str,
    record_type: type[Record],
    *,
    columns: Mapping[str, str] | None = None,
) -> Record:
    """Make a record of the text of such a table, which errors call `name`."""
    try:
        header, *cells = _read_rows(text)
    except (ValueError, csv.Error) as error:
        raise _no_table(name, error) from error
    names = _names(header, columns or {}, name)
    # a log that was started again may have its header again
    cells = [row for row in cells if row != header]
    rows = list(_rows(names, header, cells, name))
    known = list(dict.fromkeys(key for row in rows for key in row))
    if not set(known) - {"epoch", "step"}:
        raise ValueError(
            f"{name!r} has no column of numbers. Its header is {header}; expected "
            "names such as 'loss' and 'val_loss'."
        )
    if "loss" not in known:
        found = printable(", ".join(header))
        raise ValueError(
            f"{name!r} has no column `loss`; found {found}. Say which one it is: "
            "`columns={'loss': 'NAME'}`, or `--column loss=NAME` on the command "
            "line."
        )
    record = record_type()
    epochs = list(_by_epoch(rows))
    numbers = [row.get("epoch", math.nan) for row in epochs]
    are_numbers = all(abs(n) < MAX_EPOCH and not n % 1 for n in numbers)
    if len(set(numbers)) != len(epochs) or not are_numbers:
        numbers = [float(i) for i in range(len(epochs))]  # several runs in one file
    for number, row in zip(numbers, epochs, strict=True):
        record.append_epoch(
            int(number),
            {key: row.get(key, math.nan) for key in known if key != "epoch"},
        )
    return record


def _no_table(name: str, error: Exception) -> ValueError:
    return ValueError(
        f"{name!r} is not a table of epochs. Expected a header and one row per epoch, "
        f"as `keras.callbacks.CSVLogger` writes them. ({error})"
    )


def _read_rows(text: str) -> list[list[str]]:
    if not text.strip():
        raise ValueError("the file is empty")
    first = text.lstrip().splitlines()[0]
    separator = max(",;\t", key=first.count)
    rows = [row for row in csv.reader(text.splitlines(), delimiter=separator) if row]
    if len(rows) < 2:
        raise ValueError("it has a header but no epoch")
    return rows


def _names(header: list[str], columns: Mapping[str, str], name: str) -> list[str]:
    """Return the name of each column as Keras has it."""
    missing = [column for column in columns.values() if column not in header]
    if missing:
        raise ValueError(
            f"{name!r} has no column {', '.join(map(repr, missing))}; found "
            f"{printable(', '.join(header))}."
        )
    given = {column: keras_name for keras_name, column in columns.items()}
    names = keras_names(column for column in header if column not in given)
    names = {n: new if new not in columns else n for n, new in names.items()}
    return [(given.get(column) or names[column]).strip() for column in header]


def _rows(
    names: list[str], header: list[str], cells: list[list[str]], name: str
) -> Iterator[Row]:
    """Yield the numbers of each row; columns of words are left out."""
    for number, row in enumerate(cells, start=2):
        if len(row) != len(header):
            raise ValueError(
                f"Row {number} of {name!r} has {len(row)} cells; its header has "
                f"{len(header)}. Is the file truncated?"
            )
    texts = [[row[place].strip() for row in cells] for place in range(len(header))]
    numbers = {
        place: [_number(cell) for cell in column]
        for place, column in enumerate(texts)
        if any(map(_is_number, column))
    }
    for at in range(len(cells)):
        yield {
            names[place]: column[at]
            for place, column in numbers.items()
            if texts[place][at] and _is_known(names[place], column[at])
        }


def _is_known(name: str, value: float) -> bool:
    """Return whether a cell has something: the number of an epoch is never NaN."""
    return name not in ("epoch", "step") or math.isfinite(value)


def _by_epoch(rows: list[Row]) -> Iterator[Row]:
    """Join the rows of an epoch: some tools write one for each kind of number.

    Where a table counts neither epochs nor steps, a row without a loss goes with the
    one before it. Epochs with a fraction, as Hugging Face counts them, end at the next
    whole number. Rows of the same number that all have a loss are epochs of several
    runs, as `CSVLogger(append=True)` writes them, unless steps tell them apart or each
    epoch has as many: then they are batches.
    """
    is_fraction = any(row.get("epoch", 0.0) % 1 for row in rows)
    are_batches = _are_batches(rows)
    joined: list[Row] = []
    last: float | None = None
    for row in rows:
        # A fraction counts the epochs that have passed: up to 1.0 it is the first one.
        epoch = row.get("epoch")
        if is_fraction and epoch is not None:
            epoch = max(math.ceil(epoch) - 1.0, 0.0)
        is_new = "loss" in row if epoch is None else epoch != last
        if not (is_new or is_fraction or are_batches):
            is_new = epoch is not None and _starts_again(joined, row)
        if is_new or not joined:
            yield from map(_mean, [joined] if joined else [])
            joined = []
        last = last if epoch is None else epoch
        joined.append({**row, "epoch": epoch} if epoch is not None else row)
    yield _mean(joined)


def _are_batches(rows: list[Row]) -> bool:
    """Return whether a table has as many rows for each of several epochs."""
    epochs = [row["epoch"] for row in rows if "loss" in row and "epoch" in row]
    counts = [len(list(group)) for _, group in groupby(epochs)]
    if len(counts) < 2 or counts[0] < 2:
        return False
    return all(n == counts[0] for n in counts[:-1]) and counts[-1] <= counts[0]


def _starts_again(joined: list[Row], row: Row) -> bool:
    """Return whether a row with the epoch of those before begins another run."""
    if "loss" not in row or not any("loss" in one for one in joined):
        return False
    steps = [one["step"] for one in joined if "step" in one]
    return "step" not in row or not steps or row["step"] <= max(steps)


def _mean(rows: list[Row]) -> Row:
    keys = dict.fromkeys(key for row in rows for key in row)
    values = {key: [row[key] for row in rows if key in row] for key in keys}
    return {key: sum(found) / len(found) for key, found in values.items()}


def _is_number(cell: str) -> bool:
    value = _number(cell)
    return value == value or cell.lower() in ("nan", "na")


def _number(cell: str) -> float:
    try:
        return float(cell)
    except ValueError:
        return float("nan")
