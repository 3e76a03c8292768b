"""The end of an error about a name that there is none of."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def nearest(name: object, known: Iterable[str]) -> str:
    """Return which name was probably meant, and all that there are.

    Args:
        name: What was given.
        known: What could have been given.

    Example:
    >>> from keras_dlbasic.diagnosis.nearest import nearest
    >>> nearest("symtom", ["cause", "symptom"])
    "Did you mean 'symptom'? There are: 'cause', 'symptom'."
    """
    names = sorted(known)
    close = get_close_matches(str(name), names, n=1)
    meant = f"Did you mean {close[0]!r}? " if close else ""
    return f"{meant}There are: {', '.join(map(repr, names)) or 'none'}."
