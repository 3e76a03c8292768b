"""Checks of arguments that several callbacks take."""

from __future__ import annotations

from typing import Any

from keras_dlbasic.records import TrainingRecord


def check_record(record: Any) -> None:
    """Refuse anything but a record and None.

    Raises:
        ValueError: If `record` is something else.
    """
    if record is not None and not isinstance(record, TrainingRecord):
        raise ValueError(
            "`record` must be a `TrainingRecord` or None. "
            f"Received: record={record!r} of type {type(record).__name__}"
        )


def check_rows(rows: Any) -> None:
    """Refuse a number of rows that is none.

    Raises:
        ValueError: If `rows` is no positive integer.
    """
    if isinstance(rows, bool) or not isinstance(rows, int) or rows < 1:
        raise ValueError(f"`rows` must be a positive integer. Received: rows={rows!r}")
