"""Values as JSON."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from typing import Any


def plain(
    value: Any,
    *,
    other: Callable[[Any], Any] = str,
    keep_non_finite: bool = False,
) -> Any:
    """Return a JSON-serializable copy of a value.

    Mappings become dictionaries with texts as keys, sequences and NumPy arrays become
    lists, NumPy scalars become numbers.

    Args:
        value: The value.
        other: Called with what has no form in JSON, gives what stands for it. Defaults
            to `str`.
        keep_non_finite: Whether NaN and infinity stay numbers, which only Python's own
            reader understands. Defaults to `False`: they become text.

    Example:
    >>> import numpy as np
    >>> from keras_dlbasic.records.json_text import plain
    >>> plain({"rows": (np.int64(3), np.inf)})
    {'rows': [3, 'inf']}
    """
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        # not the subclasses of NumPy, whose `repr` would be written
        is_kept = keep_non_finite or math.isfinite(value)
        return float(value) if is_kept else str(float(value))
    if isinstance(value, Mapping):
        value = {str(key): part for key, part in value.items()}
    elif hasattr(value, "tolist"):  # NumPy's arrays and scalars
        value = value.tolist()
        if not isinstance(value, list):
            return plain(value, other=other, keep_non_finite=keep_non_finite)
    elif not isinstance(value, (list, tuple)):
        return other(value)

    def again(part: Any) -> Any:
        return plain(part, other=other, keep_non_finite=keep_non_finite)

    if isinstance(value, dict):
        return {key: again(part) for key, part in value.items()}
    return [again(part) for part in value]


def json_text(
    value: Any,
    *,
    other: Callable[[Any], Any] = str,
    keep_non_finite: bool = False,
    sort_keys: bool = False,
    indent: int | None = None,
) -> str:
    """Return a value as JSON; see `plain` for what becomes of it.

    Example:
    >>> from keras_dlbasic.records.json_text import json_text
    >>> json_text({"b": 1, "a": float("nan")}, sort_keys=True)
    '{"a": "nan", "b": 1}'
    """
    value = plain(value, other=other, keep_non_finite=keep_non_finite)
    return json.dumps(value, sort_keys=sort_keys, indent=indent)
