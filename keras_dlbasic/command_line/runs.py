"""The runs that the command is given."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from keras_dlbasic.records.printable import printable

if TYPE_CHECKING:
    from keras_dlbasic.diagnosis import Diagnosis
    from keras_dlbasic.records import TrainingRecord

STANDARD_INPUT = "-"


@dataclass(frozen=True)
class JudgedRun:
    """A run that was read and judged.

    Attributes:
        path: Where it was read from, `"-"` for standard input.
        diagnosis: What was found.
    """

    path: str
    diagnosis: Diagnosis

    @property
    def name(self) -> str:
        """What titles call it."""
        if self.path == STANDARD_INPUT:
            return "standard input"
        return Path(self.path).name


def judged(path: str, columns: Mapping[str, str]) -> JudgedRun | None:
    """Judge a saved run; say what is wrong with a file that cannot be read."""
    from keras_dlbasic.diagnosis import diagnose

    record = read(path, columns)
    return None if record is None else JudgedRun(path, diagnose(record))


def read(path: str, columns: Mapping[str, str]) -> TrainingRecord | None:
    """Read a record or a table of epochs; say what is wrong if it cannot be read.

    Args:
        path: The file, or `"-"`: standard input, a record or a table.
        columns: Names of the columns of a table by the names that Keras gives them.
    """
    from keras_dlbasic.records.saved_run import read_saved_run

    try:
        if path == STANDARD_INPUT:
            return _of_standard_input(columns)
        return read_saved_run(path, columns=columns)
    except (OSError, ValueError) as error:
        complain(str(error))
    return None


def complain(text: str) -> None:
    """Say what is wrong."""
    sys.stderr.write(printable(f"keras-dlbasic: {text}") + "\n")


def _of_standard_input(columns: Mapping[str, str]) -> TrainingRecord:
    from keras_dlbasic.records.saved_run import read_saved_run

    content = sys.stdin.buffer.read()
    is_record = content.startswith(b"PK")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / ("run.npz" if is_record else "table.csv")
        path.write_bytes(content)
        try:
            return read_saved_run(path, columns=columns)
        except ValueError as error:  # nobody knows the name of that file
            raise ValueError(
                str(error).replace(repr(str(path)), "standard input")
            ) from None
