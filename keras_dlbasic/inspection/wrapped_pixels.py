"""Pictures whose values overflowed in bytes."""

from __future__ import annotations

import numpy as np

from keras_dlbasic.analysis.evenly import evenly

ROWS, MOST_PIXELS = 64, 2**20
LEVELS = 256
LEAST_SIDE, LEAST_PAIRS, LEAST_VALUES = 6, 200, 16

FULL = 0.97
"""Share of the 256 values between the smallest and the largest one."""

NEAR = 64
"""Neighbors over the seam are this close if counting begins again after 255."""

BETWEEN = (64, 128, 192)
"""Smooth pictures pass through two of these levels as they pass through the seam."""

LEAST_SHARE, SMOOTHER, SURE = 0.005, 0.75, 0.75


def wrapped_pixels(x: np.ndarray) -> float:
    """Return the share of neighboring pixels between which values begin again at 0.

    Bytes that are added, subtracted or multiplied beyond 0 or 255 begin again at the
    other end. Where a smooth picture crosses this seam, it jumps from nearly 255 to
    nearly 0, so the picture is smooth only if 0 is taken to follow 255. Black and white
    are no evidence: pixels with exactly the smallest or largest value do not count.

    Args:
        x: Inputs, `[n, height, width]` or `[n, height, width, channels]`, in bytes or
            scaled.

    Returns:
        The share of the pairs of neighbors; 0 for pictures that do not jump so, NaN for
        other inputs.

    Example:
    >>> import numpy as np
    >>> from keras_dlbasic.inspection.wrapped_pixels import wrapped_pixels
    >>> slope = np.arange(0, 1200, 24)[None, :, None] + np.arange(30)
    >>> x = np.repeat(slope, 20, axis=0)
    >>> wrapped_pixels(x.astype("uint8")) > 0.01, wrapped_pixels(x / 2)
    (True, nan)
    """
    if x.ndim not in (3, 4) or x.dtype.kind not in "iuf" or len(x) < 1:
        return float("nan")
    if min(x.shape[1:3]) < LEAST_SIDE:
        return float("nan")
    rows = min(ROWS, max(1, MOST_PIXELS // max(1, x[0].size)))
    levels = _levels(np.asarray(x[evenly(len(x), rows)], np.float64))
    if levels is None:
        return float("nan")
    pairs = [
        (a.ravel(), b.ravel())
        for a, b in (
            (levels[:, 1:], levels[:, :-1]),
            (levels[:, :, 1:], levels[:, :, :-1]),
        )
    ]
    first = np.concatenate([a for a, _ in pairs])
    second = np.concatenate([b for _, b in pairs])
    apart = np.abs(first - second)
    around = np.minimum(apart, LEVELS - apart)
    ends = (levels.min(), levels.max())
    inside = ~(np.isin(first, ends) | np.isin(second, ends))
    jumps = inside & (apart > LEVELS / 2)
    over = jumps & (around <= NEAR)
    n = int(over.sum())
    is_seam = (
        n >= LEAST_PAIRS
        and n >= LEAST_SHARE * len(apart)
        and n >= SURE * jumps.sum()
        and len(np.unique(first[over])) >= LEAST_VALUES
        and around[inside].mean() < SMOOTHER * apart[inside].mean()
    )
    if not is_seam:
        return 0.0
    # Where light and dark are merely beside each other, no slope leads through what is
    # in between, as it does through 255 and 0 here.
    small = apart <= NEAR
    low, high = np.minimum(first, second)[small], np.maximum(first, second)[small]
    slopes = [((low < level) & (high >= level)).sum() for level in BETWEEN]
    return n / len(apart) if sorted(slopes)[1] >= n / 4 else 0.0


def _levels(values: np.ndarray) -> np.ndarray | None:
    """Return the bytes that values were made of; None if they were not."""
    if not np.isfinite(values).all():
        return None
    low, high = values.min(), values.max()
    if high - low <= 0:
        return None
    # 0 and 255 need not both occur
    for span in range(LEVELS - 1, int(FULL * LEVELS) - 1, -1):
        levels = (values - low) / (high - low) * span
        if np.abs(levels - np.round(levels)).max() < 0.01:
            return np.round(levels)
    return None
