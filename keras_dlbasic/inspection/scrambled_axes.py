"""Pictures and series whose axes were exchanged by a reshape."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations
from math import prod

import numpy as np

from keras_dlbasic.analysis.evenly import evenly

ROWS = 64
LEAST_ROWS = 16
MOST_ENTRIES = 2**18
"""Rows with more entries are not examined."""

LEAST_LENGTH = 8
"""A shorter axis may be one of channels, along which neighbors need not be alike."""

SMOOTH = 0.25
"""Neighbors differ by at most this share of what any two entries of a row differ by."""

SMOOTHER = 0.5
"""Neighbors differ by at most this share of what neighbors in the given shape do."""

JUMP = 3.0
"""Where a line ends, entries differ by this many times what they differ by in it."""


def scrambled_axes(x: np.ndarray) -> tuple[int, ...] | None:
    """Return the shape that rows had before a reshape exchanged their axes.

    A reshape keeps the order of the entries: where channels came first, and a reshape
    puts their number last, an entry's neighbors are no longer its neighbors. In the
    order in which the entries lie, lines then still end where those of the former shape
    did, and do not where those of the shape they are given in should.

    Args:
        x: Inputs, `[n, ...]` with two or three axes besides that of the rows.

    Returns:
        The former shape of a row. None if there is none, or it is not known, as of
        noise, or of axes of the same length.

    Example:
    >>> import numpy as np
    >>> from keras_dlbasic.inspection.scrambled_axes import scrambled_axes
    >>> rng = np.random.default_rng(0)
    >>> series = rng.normal(size=(50, 3, 40)).cumsum(axis=2)
    >>> scrambled_axes(series.reshape(50, 40, 3)), scrambled_axes(series)
    ((3, 40), None)
    """
    if x.ndim not in (3, 4) or x.dtype.kind not in "iuf" or len(x) < LEAST_ROWS:
        return None
    shape = tuple(map(int, x.shape[1:]))
    if max(shape) < LEAST_LENGTH or not 0 < prod(shape) <= MOST_ENTRIES:
        return None
    rows = np.asarray(x[evenly(len(x), ROWS)], np.float64)
    flat = rows.reshape(len(rows), -1)
    spread = flat.var(axis=1)
    if not np.isfinite(flat).all() or not (spread > 0).mean() > 0.5:
        return None
    flat = flat[spread > 0] / np.sqrt(spread[spread > 0])[:, None]
    return next((old for old in _orders(shape) if _lay_as(flat, shape, old)), None)


def _orders(shape: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    """Yield other orders of the axes of a shape; axes of length one do not count."""
    long = tuple(n for n in shape if n > 1)
    for old in sorted(set(permutations(shape))):
        if tuple(n for n in old if n > 1) != long:
            yield old


def _lay_as(flat: np.ndarray, shape: tuple[int, ...], old: tuple[int, ...]) -> bool:
    """Return whether entries lie in the order of one shape and not of another."""
    long = [n for n in set(shape) if n >= LEAST_LENGTH]
    for length in long:
        before, now = _unlike(flat, old, length), _unlike(flat, shape, length)
        if before > SMOOTH or before > SMOOTHER * now:
            return False
    return _jumps(flat, old[-1], shape[-1])


def _unlike(flat: np.ndarray, shape: tuple[int, ...], length: int) -> float:
    """Return the mean squared difference of neighbors along the axes of a length.

    It is 1 for entries that are unrelated.
    """
    rows = flat.reshape(len(flat), *shape)
    axes = [axis for axis, n in enumerate(shape, start=1) if n == length]
    return float(np.mean([(np.diff(rows, axis=a) ** 2).mean() / 2 for a in axes]))


def _jumps(flat: np.ndarray, old: int, new: int) -> bool:
    """Return whether entries jump where lines of one length end, and not of another."""
    ends = np.arange(1, flat.shape[1])
    steps = (np.diff(flat, axis=1) ** 2).mean(axis=0)
    is_old, is_new = ends % old == 0, ends % new == 0
    within = np.median(steps[~is_old])
    at_old = np.median(steps[is_old])
    at_new = np.median(steps[is_new & ~is_old]) if (is_new & ~is_old).any() else within
    return bool(at_old >= JUMP * within and at_new < at_old / JUMP)
