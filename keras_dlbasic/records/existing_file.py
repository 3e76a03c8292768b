"""Whether there is a file to read."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

from keras_dlbasic._nearest import nearest_name

MAX_NAMES = 1000
"""At most this many names in the folder are compared."""


def check_file(path: Path) -> None:
    """Check that there is a file.

    Raises:
        FileNotFoundError: If there is none; a similar name in its folder is named.
        IsADirectoryError: If it is a folder.
    """
    if path.is_dir():
        raise IsADirectoryError(
            f"{str(path)!r} is a folder. Give a file in it: a record (`.npz`) or a "
            "table of epochs (`.csv`)."
        )
    if path.exists():
        return
    names: list[str] = []
    if path.parent.is_dir():
        names = [one.name for one in islice(path.parent.iterdir(), MAX_NAMES)]
    close = nearest_name(path.name, names, cutoff=0.8)
    meant = f" Did you mean {str(path.parent / close)!r}?" if close else ""
    raise FileNotFoundError(f"There is no file {str(path)!r}.{meant}")
