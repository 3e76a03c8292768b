"""What objects keep in plain Python, left as it is by code of users."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import keras

from keras_dlbasic._keras.graph import all_layers


@contextmanager
def plain_state_kept(owners: Iterable[Any]) -> Iterator[None]:
    """Set back numbers, lists and dictionaries that code of users changes.

    A loss may count its calls, anneal a weight or append to a history. Lists and
    dictionaries keep their identity; what is in them is not copied.

    Args:
        owners: Models and losses. The layers of models are included.

    Example:
    >>> from types import SimpleNamespace
    >>> from keras_dlbasic.inspection.plain_state import plain_state_kept
    >>> owner = SimpleNamespace(calls=0, history=[])
    >>> with plain_state_kept([owner]):
    ...     owner.calls += 1
    ...     owner.history.append(0.5)
    >>> owner.calls, owner.history
    (0, [])
    """
    found = {id(one): one for owner in owners for one in _with_layers(owner)}
    known = [
        (vars(one), name, value, _copied(value))
        for one in found.values()
        if hasattr(one, "__dict__")
        for name, value in vars(one).items()
        if isinstance(value, (int, float, list, dict))
    ]
    try:
        yield
    finally:
        for values, name, value, copied in known:
            if values.get(name) is not value:
                values[name] = value
            _set_back(value, copied)


def _with_layers(owner: Any) -> list[Any]:
    return all_layers(owner) if isinstance(owner, keras.layers.Layer) else [owner]


def _copied(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value.items())
    return list(value) if isinstance(value, list) else []


def _set_back(value: Any, copied: list[Any]) -> None:
    """Fill a list or dictionary as it was; Keras' own kinds need not track it anew."""
    if isinstance(value, list):
        if len(value) != len(copied) or any(
            one is not other for one, other in zip(value, copied, strict=True)
        ):
            list.__setitem__(value, slice(None), copied)
    elif isinstance(value, dict):
        now = list(value.items())
        if len(now) != len(copied) or any(
            name != former or one is not other
            for (name, one), (former, other) in zip(now, copied, strict=True)
        ):
            dict.clear(value)
            dict.update(value, copied)
