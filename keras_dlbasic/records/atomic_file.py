"""Files that are there whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


@contextmanager
def atomic_file(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """Open a file for writing that takes the place of `path` at the end.

    If the context raises, or the process dies, what was at `path` stays as it was.

    Args:
        path: Where to write; its folder must exist.

    Raises:
        OSError: If nothing can be written there.

    Yields:
        A binary file, beside `path` until the context ends. It then gets the mode that
        new files have, and is on the disk.

    Example:
    >>> import tempfile
    >>> from pathlib import Path
    >>> from keras_dlbasic.records.atomic_file import atomic_file
    >>> path = Path(tempfile.mkdtemp()) / "notes.txt"
    >>> with atomic_file(path) as file:
    ...     written = file.write(b"all of it")
    >>> path.read_text()
    'all of it'
    """
    path = Path(path)
    if path.is_dir():  # else the error would name the temporary file
        raise IsADirectoryError(
            f"{str(path)!r} is a folder. Give the name of a file in it."
        )
    try:
        # the name is cut, since names of files have a limit
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:40]}.")
    except OSError as error:  # of a name that nobody has given
        reason = error.strerror
        if not path.parent.exists():
            reason = "There is no such folder to write to"
        raise type(error)(error.errno, reason, str(path)) from None
    partial = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            # The content reaches the disk before the file gets its name. Else a power
            # cut could leave the name with nothing behind it.
            file.flush()
            os.fsync(file.fileno())
        partial.chmod(0o666 & ~_umask())  # `mkstemp` makes files for the owner alone
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


def _umask() -> int:
    # The mask can only be read by setting another one.
    mask = os.umask(0)
    os.umask(mask)
    return mask
