"""A saved run, whatever file it is in."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from keras_dlbasic.records.training_record import TrainingRecord


def read_saved_run(
    path: str | Path, *, columns: Mapping[str, str] | None = None
) -> TrainingRecord:
    """Read a record or a table of epochs.

    Args:
        path: A record (`.npz`) or a table, which has any other name.
        columns: Names of columns of a table by the names that Keras gives them.
            Defaults to None: told by the names.

    Raises:
        FileNotFoundError: If there is no such file.
        IsADirectoryError: If it is a folder.
        ValueError: If the file is neither.

    Example:
    >>> import tempfile
    >>> from pathlib import Path
    >>> from keras_dlbasic.records import TrainingRecord
    >>> from keras_dlbasic.records.saved_run import read_saved_run
    >>> path = Path(tempfile.mkdtemp()) / "run.npz"
    >>> TrainingRecord.from_history({"loss": [0.9, 0.5]}).save(path)
    >>> read_saved_run(path).epochs["loss"]
    array([0.9, 0.5])
    """
    path = Path(path)
    if path.suffix.lower() == ".npz":
        return TrainingRecord.load(path)
    return TrainingRecord.from_csv(path, columns=columns)
