"""Losses so large or so small that their squares are not numbers."""

from __future__ import annotations

import numpy as np

_LARGEST = 1e60
"""Values of this size, and their inverses, can be squared and summed."""


def in_plain_unit(values: np.ndarray) -> tuple[np.ndarray, float]:
    """Return a curve in a unit in which its values can be squared, and the unit.

    The unit is 1 for all but extreme curves, otherwise the power of two next to the
    median size, so that nothing is rounded. What is then still too large is cut: it
    stays above all the rest.

    Args:
        values: The curve, `[n]`; NaN and infinite values stay as they are.

    Example:
    >>> import numpy as np
    >>> from keras_dlbasic.analysis.overfitting.curve_unit import in_plain_unit
    >>> curve, unit = in_plain_unit(np.array([3.0, 2.0, 1.0]) * 2.0**600)
    >>> curve.tolist(), unit == 2.0**601
    ([1.5, 1.0, 0.5], True)
    """
    sizes = np.abs(values[np.isfinite(values) & (values != 0)])
    if not len(sizes) or (sizes.max() < _LARGEST and sizes.min() > 1 / _LARGEST):
        return values, 1.0
    # one less, so that the unit of the largest numbers is one, too
    exponent = max(int(np.median(np.frexp(sizes)[1])) - 1, -1021)
    # Multiplied twice: the inverse of the smallest unit is no number.
    half = -exponent // 2
    with np.errstate(over="ignore"):
        scaled = np.ldexp(np.ldexp(values, half), -exponent - half)
    cut = np.where(np.isfinite(values), np.clip(scaled, -_LARGEST, _LARGEST), values)
    return cut, float(np.ldexp(1.0, exponent))
