"""Names from models and files, made safe to show."""

from __future__ import annotations

from typing import Any


def printable(text: str) -> str:
    r"""Return `text` with what a terminal would obey, or hide, written out.

    Names come from models and files of other people: an escape sequence in one could
    rewrite a terminal, a line break could forge a line of a report.

    Args:
        text: A name. In texts of several lines use `printable_text`.

    Example:
    >>> from keras_dlbasic.records.printable import printable
    >>> print(printable("dense\x1b[2J"))
    dense\x1b[2J
    """
    if text.isprintable():
        return text
    return "".join(
        c if c.isprintable() else c.encode("unicode_escape").decode() for c in text
    )


def printable_text(text: str) -> str:
    """Return `printable` of each line of `text`."""
    return "\n".join(printable(line) for line in text.split("\n"))


def printable_parts(value: Any) -> Any:
    """Return a structure of lists, dictionaries and texts with all texts printable."""
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, dict):
        return {printable_parts(k): printable_parts(v) for k, v in value.items()}
    if isinstance(value, list):
        return [printable_parts(part) for part in value]
    return value
