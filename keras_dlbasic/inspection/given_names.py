"""What the user gave, by name."""

from __future__ import annotations

from typing import Any


def given_names(x: Any, y: Any, validation_data: Any) -> tuple[str, ...]:
    """Return which of the data were given, for `RunFacts.given`."""
    given = {"x": x, "y": y, "validation_data": validation_data}
    return tuple(name for name, value in given.items() if value is not None)
