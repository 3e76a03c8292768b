"""The fields of a dataclass as words."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from textwrap import shorten
from typing import Any

import numpy as np

WIDTH = 56
"""Letters of a value, so that a line of name and value has no more than 80."""


def known_fields(result: Any) -> Iterator[tuple[str, str]]:
    """Give the names of what is known of a dataclass, and the values in a few words.

    What is None, NaN or empty is left out, so that most results fit on a screen.

    Args:
        result: The object; one that is no dataclass has no fields.

    Example:
    >>> from keras_dlbasic._fields import known_fields
    >>> from keras_dlbasic.records import VariableInfo
    >>> dict(known_fields(VariableInfo("dense/bias", "dense", "bias", (), 1)))
    {'path': 'dense/bias', 'layer': 'dense', 'role': 'bias', 'depth': '1',
    'has_units': 'False'}
    """
    for part in fields(result) if is_dataclass(result) else ():
        value = getattr(result, part.name)
        if part.repr and not _is_unknown(value):
            yield part.name, _words(value)


def _is_unknown(value: Any) -> bool:
    if isinstance(value, float):
        return math.isnan(value)
    if value is None:
        return True
    return isinstance(value, (str, tuple, list, Mapping)) and not value


def _words(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, np.ndarray):
        return f"{value.dtype}, shape {value.shape}"
    if isinstance(value, Mapping):
        text = ", ".join(f"{key}: {_words(part)}" for key, part in value.items())
    elif isinstance(value, (tuple, list)) and any(map(is_dataclass, value)):
        text = f"{len(value)} {type(value[0]).__name__}"
    elif is_dataclass(value):
        text = ", ".join(f"{name} {words}" for name, words in known_fields(value))
    else:
        text = str(value)
    return shorten(text, WIDTH, placeholder=" ...")
