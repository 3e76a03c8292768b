"""Which name was probably meant by one that there is none of."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def nearest_name(
    name: object, known: Iterable[str], *, cutoff: float = 0.6
) -> str | None:
    """Return the name that is most like a given one, None if there is none like it.

    Args:
        name: What was given.
        known: What could have been given.
        cutoff: Names that share less than this with it are none like it, see `difflib`.
    """
    close = get_close_matches(str(name), list(known), n=1, cutoff=cutoff)
    return close[0] if close else None


def nearest(name: object, known: Iterable[str]) -> str:
    """Return the end of an error: which name was probably meant, and all there are.

    Args:
        name: What was given.
        known: What could have been given.

    Example:
    >>> from keras_dlbasic._nearest import nearest
    >>> nearest("symtom", ["cause", "symptom"])
    "Did you mean 'symptom'? There are: 'cause', 'symptom'."
    """
    names = sorted(known)
    close = nearest_name(name, names)
    meant = f"Did you mean {close!r}? " if close else ""
    return f"{meant}There are: {', '.join(map(repr, names)) or 'none'}."
