"""Facts as objects in memory and as plain JSON in files."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import Field, dataclass, field, fields
from functools import cache
from numbers import Integral, Real
from types import UnionType
from typing import Any, Self, Union, get_args, get_origin, get_type_hints

from keras_dlbasic._display import Displayed

UNKNOWN = math.nan
"""A number that was not measured; comparisons with it are false."""

NONE = type(None)


@dataclass(frozen=True, eq=False, repr=False)
class Facts(Displayed):
    """Something that is known, the base of all facts of a record.

    This class is the only place that knows how facts stand in files: by the names of
    the fields, or by the `"key"` in their metadata where a file says it differently.

    Attributes:
        extra: What a file has besides, written by another version.
    """

    extra: Mapping[str, Any] = field(default_factory=dict, kw_only=True, repr=False)

    @classmethod
    def from_dict(cls, entry: Mapping[str, Any]) -> Self:
        """Read what `to_dict` gave, now or in an older or newer version.

        Args:
            entry: Values by name. What misses is not known, and so is what has another
                form than is expected; names that are not known are kept in `extra`.

        Raises:
            ValueError: If something has another form that cannot be left unknown.
        """
        kind: Any = cls
        read, rest = {}, dict(entry)
        # What an older version did not write keeps its default. What a newer version
        # wrote and this one does not know stays in `extra`, so it is not lost in
        # saving.
        for part, key, hint in _layout(kind):
            value = rest.pop(key, None)
            if key not in entry or (value is None and NONE not in get_args(hint)):
                continue
            try:
                read[part.name] = _read(hint, value)
            except ValueError as error:  # made by hand
                if not _can_miss(part):
                    raise ValueError(f"{cls.__name__}.{part.name}: {error}") from error
        return cls(**read, extra=rest)

    def to_dict(self) -> dict[str, Any]:
        """Return all that is known, JSON-serializable, by the names it has in files."""
        kind: Any = type(self)
        known = {
            key: _plain(value)
            for part, key, _ in _layout(kind)
            if not _is_unknown(value := getattr(self, part.name), part.default)
        }
        return {**self.extra, **known}

    def __eq__(self, other: object) -> bool:
        """Compare what is known; numbers that are not known are alike."""
        if type(other) is not type(self):
            return NotImplemented
        return self.to_dict() == other.to_dict()

    def __getitem__(self, key: str) -> Any:
        """Return a plain value by its name in files, as before facts had types."""
        return self.to_dict()[key]

    def __contains__(self, key: str) -> bool:
        """Return whether something is known, by its name in files."""
        return key in self.to_dict()

    def get(self, key: str, default: Any = None) -> Any:
        """Return a plain value by its name in files, `default` if it is not known."""
        return self.to_dict().get(key, default)


@cache
def _layout(cls: Any) -> list[tuple[Field[Any], str, Any]]:
    """Return the fields of a class, their names in files, and their types."""
    hints = get_type_hints(cls)
    return [
        (part, part.metadata.get("key", part.name), hints[part.name])
        for part in fields(cls)
        if part.name != "extra"
    ]


def _can_miss(part: Field[Any]) -> bool:
    return part.default is None or part.default is UNKNOWN


def _is_unknown(value: Any, default: Any) -> bool:
    if value is None:
        return default is None
    return isinstance(value, float) and math.isnan(value) and default is UNKNOWN


def _plain(value: Any) -> Any:
    if isinstance(value, Facts):
        return value.to_dict()
    if isinstance(value, tuple):
        return [_plain(part) for part in value]
    return dict(value) if isinstance(value, Mapping) else value


def _read(hint: Any, value: Any) -> Any:
    """Return a value as the type that a field is declared with.

    Raises:
        ValueError: If it is of another one.
    """
    parts = get_args(hint)
    origin = get_origin(hint) or hint
    if origin in (Union, UnionType):
        if value is None:
            return None
        return _read(next(part for part in parts if part is not NONE), value)
    if origin is tuple and isinstance(value, Sequence) and not isinstance(value, str):
        return tuple(_read(parts[0], entry) for entry in value)
    if origin is Mapping and isinstance(value, Mapping):
        return {str(name): _read(parts[1], entry) for name, entry in value.items()}
    if isinstance(origin, type) and issubclass(origin, Facts):
        if isinstance(value, origin):
            return value
        if isinstance(value, Mapping):
            return origin.from_dict(value)
    return _read_plain(origin, value)


def _read_plain(kind: Any, value: Any) -> Any:
    # `True` is a number to Python, but not in JSON
    is_number = isinstance(value, Real) and not isinstance(value, bool)
    if kind is float and is_number:
        return float(value)
    if kind is int and is_number and (isinstance(value, Integral) or value % 1 == 0):
        return int(value)
    if kind is Any or (kind in (bool, str) and isinstance(value, kind)):
        return value
    raise ValueError(f"Expected {getattr(kind, '__name__', kind)}. Received: {value!r}")
