"""Records of epochs, from what other tools leave behind."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from keras_dlbasic.records.facts import RunFacts
from keras_dlbasic.records.record_data import RecordData

Record = TypeVar("Record", bound=RecordData)


def record_from_history(history: Any, record_type: type[Record]) -> Record:
    """Make a record of a Keras `History` or its dictionary."""
    logs = history if isinstance(history, Mapping) else getattr(history, "history", 0)
    if not isinstance(logs, Mapping):
        raise TypeError(
            "`history` must be the `History` that `model.fit` returns, or its "
            f"`history` dictionary. Received: {history!r} of type {type(history)}"
        )
    lengths = {name: len(values) for name, values in logs.items()}
    numbers = list(
        getattr(history, "epoch", None) or range(max(lengths.values(), default=0))
    )
    record = record_type(facts=_facts(getattr(history, "params", None)))
    for name, length in lengths.items():
        # validation_freq leaves shorter lists, whose epochs cannot be told afterwards
        if length != len(numbers) and not name.startswith("val_"):
            raise ValueError(
                "The lists of a history must be of one length, one value per epoch. "
                f"Received: {lengths}"
            )
    for place, epoch in enumerate(numbers):
        record.append_epoch(
            epoch,
            {
                name: values[place * lengths[name] // len(numbers)]
                for name, values in logs.items()
                if _falls_on(place, lengths[name], len(numbers))
            },
        )
    return record


def _falls_on(place: int, length: int, n_epochs: int) -> bool:
    """Return whether the epoch at `place` has a value in a list of `length`.

    Keras validates every `validation_freq` epochs, so a shorter list belongs to the
    epochs at the end of equal strides.
    """
    if length == 0:
        return False
    stride = n_epochs // length
    return (place + 1) % stride == 0 and (place + 1) // stride <= length


def _facts(params: Mapping[str, Any] | None) -> RunFacts:
    steps = (params or {}).get("steps")
    return RunFacts(steps_per_epoch=None if steps is None else int(steps))


def record_from_csv(path: Path, record_type: type[Record]) -> Record:
    """Make a record of a table of epochs."""
    if path.suffix in (".keras", ".h5"):
        raise ValueError(
            f"{str(path)!r} is a saved model. Expected a record of its training, saved "
            "by `doctor.record.save(path)`, or a table of epochs."
        )
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            header, *rows = _read_rows(file.read())
    except (UnicodeDecodeError, ValueError, csv.Error) as error:
        raise ValueError(
            f"{str(path)!r} is not a table of epochs. Expected a header and one row "
            f"per epoch, as `keras.callbacks.CSVLogger` writes them. ({error})"
        ) from error
    columns = _number_columns(path, header, rows)
    epochs = columns.pop("epoch", [float(i) for i in range(len(rows))])
    if len(set(epochs)) != len(rows) or any(e != e or e % 1 for e in epochs):
        epochs = [float(i) for i in range(len(rows))]  # several runs in one file
    record = record_type()
    for row, epoch in enumerate(epochs):
        record.append_epoch(
            int(epoch), {name: values[row] for name, values in columns.items()}
        )
    return record


def _read_rows(text: str) -> list[list[str]]:
    if not text.strip():
        raise ValueError("the file is empty")
    first = text.lstrip().splitlines()[0]
    separator = max(",;\t", key=first.count)
    rows = [row for row in csv.reader(text.splitlines(), delimiter=separator) if row]
    if len(rows) < 2:
        raise ValueError("it has a header but no epoch")
    return rows


def _number_columns(
    path: Path, header: list[str], rows: list[list[str]]
) -> dict[str, list[float]]:
    for number, row in enumerate(rows, start=2):
        if len(row) != len(header):
            raise ValueError(
                f"Row {number} of {str(path)!r} has {len(row)} cells; its header has "
                f"{len(header)}. Is the file truncated?"
            )
    columns = {}
    for place, name in enumerate(header):
        values = [_number(row[place]) for row in rows]
        if any(value == value for value in values) or _all_nan(rows, place):
            columns[name.strip()] = values
    if not set(columns) - {"epoch"}:
        raise ValueError(
            f"{str(path)!r} has no column of numbers. Its header is {header}; expected "
            "names such as 'loss' and 'val_loss'."
        )
    return columns


def _all_nan(rows: list[list[str]], place: int) -> bool:
    return all(row[place].strip().lower() in ("nan", "na", "") for row in rows)


def _number(cell: str) -> float:
    try:
        return float(cell)
    except ValueError:
        return float("nan")
