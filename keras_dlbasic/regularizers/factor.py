"""The check that all penalties share."""

from __future__ import annotations

import math


def check_factor(value: float, name: str) -> float:
    """Return a penalty's factor as a float.

    Raises:
        ValueError: If it is negative or not a finite number.
    """
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = math.nan
    if isinstance(value, (bool, str)) or not math.isfinite(number) or number < 0:
        raise ValueError(
            f"`{name}` must be a finite number that is not negative; 0 is no penalty. "
            f"Received: {name}={value!r}"
        )
    return number
