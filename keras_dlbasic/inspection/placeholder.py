"""A number that stands for missing values."""

from __future__ import annotations

import numpy as np

from keras_dlbasic.analysis.evenly import evenly

LEAST = 3
"""A number that stands for something occurs more often than an outlier."""

APART = 5.0
"""It is this many times further away from the others than these are from each other."""

HUGE = 32767
"""Whole numbers from here on that are alone are the limits of types, and the like."""

MOST_COLUMNS = 256

FIRST_ROWS = 64
"""Columns that cannot have such a number are ruled out by this many rows."""


def placeholder(values: np.ndarray) -> tuple[float | None, float]:
    """Return a number such as -999 that stands for missing values, and its share.

    It is the smallest or the largest number of a column, occurs again and again, and
    lies far from all others of the column: a year is far from a share, and stands for
    nothing. Zero is none: it is what padding and counts have.

    Args:
        values: Finite numbers, `[n]` or `[n, n_columns]`.

    Returns:
        The number, None if there is none, and the share of all entries that have it.

    Example:
    >>> import numpy as np
    >>> from keras_dlbasic.inspection.placeholder import placeholder
    >>> placeholder(np.array([0.2, -999.0, 0.7, -999.0, -999.0, 0.1]))
    (-999.0, 0.5)
    """
    columns = values.reshape(len(values), -1) if values.size else np.zeros((0, 0))
    if not columns.size:
        return None, 0.0
    for value, places in _alone(columns):
        if not _looks_made(value) and not _is_odd(columns, value, places):
            continue
        return value, float(np.mean(columns == value))
    return None, 0.0


def _alone(columns: np.ndarray) -> list[tuple[float, list[int]]]:
    """Return the numbers that lie far from all others of a column, and its places.

    Those that occur in most columns come first.
    """
    found: dict[float, list[int]] = {}
    counts: dict[float, int] = {}
    some = evenly(len(columns), FIRST_ROWS)
    for sign in (1.0, -1.0):  # the smallest, then the largest
        lowest = columns.min(axis=0) if sign > 0 else -columns.max(axis=0)
        may_be = np.flatnonzero(_may_be_far(sign * columns[some], lowest))
        signed, lowest = sign * columns[:, may_be], lowest[may_be]
        is_lowest = signed == lowest
        count = is_lowest.sum(axis=0)
        high = signed.max(axis=0)
        low = np.where(is_lowest, np.inf, signed).min(axis=0)
        with np.errstate(invalid="ignore", over="ignore"):
            is_far = low - lowest > APART * (high - low)
        is_far &= (len(columns) - count >= LEAST) & (lowest != 0)
        for place in np.flatnonzero(is_far)[:MOST_COLUMNS]:
            value = float(sign * lowest[place])
            others = signed[:, place][~is_lowest[:, place]]
            # two numbers alone are a code, and no measurement with gaps
            if len(np.unique(others)) > 2:
                found.setdefault(value, []).append(int(may_be[place]))
                counts[value] = counts.get(value, 0) + int(count[place])
    often = [value for value in found if counts[value] >= LEAST]
    return [(v, found[v]) for v in sorted(often, key=lambda v: -len(found[v]))]


def _may_be_far(some: np.ndarray, lowest: np.ndarray) -> np.ndarray:
    """Return for each column whether its lowest number may lie far from all others.

    On some rows the gap below the other numbers is no smaller than on all rows, and
    their range no larger; so most columns need no look at all rows.
    """
    high = some.max(axis=0)
    low = np.where(some == lowest, np.inf, some).min(axis=0)
    with np.errstate(invalid="ignore", over="ignore"):
        return np.asarray(~(low - lowest <= APART * (high - low)))


def _looks_made(value: float) -> bool:
    """Return whether a number is one that people choose: -9, -999, 9999, 1e20."""
    size = abs(value)
    if size != round(size):
        return False
    is_nines = set(f"{size:.0f}") == {"9"} and (size > 9 or value < 0)
    return is_nines or size >= HUGE


def _is_odd(columns: np.ndarray, value: float, places: list[int]) -> bool:
    """Return whether another number is nothing that is measured or counted.

    Columns that are mostly zero, as those of words or of the border of pictures, have
    a few large numbers by themselves, and so have counts. And what is a usual number in
    one column is none in another.
    """
    usual = np.flatnonzero((columns == value).any(axis=0))
    if len(usual) > len(places):
        return False
    others = [part[part != value] for part in columns[:, places].T]
    if any(np.mean(part == 0) > 0.5 for part in others):
        return False
    return any((part != np.round(part)).any() for part in others) or value < 0 <= min(
        float(part.min()) for part in others
    )
