"""What all penalties share: the check of their factors, and of what they sum up."""

from __future__ import annotations

import math
from typing import Any

import keras


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


def summable(weight: Any) -> Any:
    """Return a weight in a precision in which many squares can be summed up."""
    if keras.backend.standardize_dtype(weight.dtype) in ("float16", "bfloat16"):
        return keras.ops.cast(weight, "float32")
    return weight
