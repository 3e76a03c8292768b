"""Checks of arguments, and how errors show what was given."""

from __future__ import annotations

from collections.abc import Iterable
from numbers import Integral, Real
from typing import Any

MAX_CHARACTERS = 60
"""Maximum length of a received value in a message."""


def check_whole(
    name: str, value: Any, least: int = 1, *, or_none: bool = False
) -> None:
    """Check that an argument is an integer and large enough; True is not one.

    Args:
        name: What the argument is called.
        value: What was given.
        least: The smallest that is allowed. Defaults to 1.
        or_none: Whether None is allowed, too.

    Raises:
        ValueError: If it is no integer, also if a float like 32.0, or a smaller one.

    Example:
    >>> from keras_dlbasic._arguments import check_whole
    >>> check_whole("epochs", "10")
    Traceback (most recent call last):
        ...
    ValueError: `epochs` must be a whole number of at least 1. Received: epochs='10'
    """
    if value is None and or_none:
        return
    is_whole = isinstance(value, Integral) and not isinstance(value, bool)
    if not is_whole or value < least:
        ending = ", or None" if or_none else ""
        raise ValueError(
            f"`{name}` must be a whole number of at least {least}{ending}. Received: "
            f"{name}={shown(value)}"
        )


def as_list(name: str, values: Any, like: str) -> list[Any]:
    """Return the values of an argument that takes several.

    Args:
        name: What the argument is called.
        values: What was given.
        like: What could be given, as code.

    Raises:
        TypeError: If it is a single value, also a single word.

    Example:
    >>> from keras_dlbasic._arguments import as_list
    >>> as_list("sizes", 0.5, "[0.1, 0.5]")
    Traceback (most recent call last):
        ...
    TypeError: `sizes` must be several values, such as [0.1, 0.5]. Received: sizes=0.5
    """
    if isinstance(values, (str, bytes)) or not isinstance(values, Iterable):
        raise TypeError(
            f"`{name}` must be several values, such as {like}. Received: "
            f"{name}={shown(values)}"
        )
    return list(values)


def is_number(value: Any) -> bool:
    """Return whether an argument is a real number, which True and False are not."""
    return isinstance(value, Real) and not isinstance(value, bool)


def shown(value: Any) -> str:
    """Return what was given as a line of a few words.

    Example:
    >>> import numpy as np
    >>> from keras_dlbasic._arguments import shown
    >>> shown("yes"), shown(np.zeros((3, 2)))
    ("'yes'", 'an array of shape (3, 2)')
    """
    kind = type(value).__name__
    kind = "array" if kind == "ndarray" else kind
    article = "an" if kind[:1].lower() in "aeiou" else "a"
    shape = getattr(value, "shape", None)
    if isinstance(shape, tuple) and shape:
        return f"{article} {kind} of shape {tuple(shape)}"
    if isinstance(value, type):
        return f"the class {value.__name__}"
    text = " ".join(repr(value).split())
    if " at 0x" in text:  # says no more than its type
        return f"{article} {kind}"
    if len(text) <= MAX_CHARACTERS:
        return text
    return f"{article} {kind}, {text[:MAX_CHARACTERS]}..."
