"""Pictures whose values overflowed in bytes."""

from __future__ import annotations

import numpy as np

from keras_dlbasic.analysis.evenly import evenly

ROWS, MOST_PIXELS = 64, 2**20
MOST_SIDE, MOST_CHANNELS, FIRST_VALUES = 512, 4, 1000
HUES = 3
"""Pictures of hue, saturation and value have as many channels."""

NEARLY_ALL, NEARLY = 0.95, 0.01

LEVELS = 256
LEAST_SIDE, LEAST_PAIRS, LEAST_VALUES = 6, 200, 16

FULL = 0.97
"""Share of the 256 values between the smallest and the largest one."""

NEAR = 64
"""Neighbors over the seam are this close if counting begins again after 255."""

BETWEEN = (64, 128, 192)
"""Smooth pictures pass through two of these levels as they pass through the seam."""

LEAST_SHARE, SMOOTHER, SURE = 0.005, 0.75, 0.75


def wrapped_pixels(x: np.ndarray) -> tuple[float, bool]:
    """Return the share of neighboring pixels between which values begin again at 0.

    Bytes that are added, subtracted or multiplied beyond 0 or 255 begin again at the
    other end. Where a smooth picture crosses this seam, it jumps from nearly 255 to
    nearly 0, so the picture is smooth only if 0 is taken to follow 255. Black and white
    are no evidence: pixels with exactly the smallest or largest value do not count.
    Each channel is measured by itself, on at most 512 x 512 pixels of a few rows.

    Args:
        x: Inputs, `[n, height, width]` or `[n, height, width, channels]`, in bytes or
            scaled.

    Returns:
        The share of the pairs of neighbors, in the channel where it is largest: 0 for
        pictures that do not jump so, NaN for other inputs. And whether the values may
        be angles, such as hues or phases, which do so rightly: if only the first of
        three channels does, or the only channel, with all levels about equally often.

    Example:
    >>> import numpy as np
    >>> from keras_dlbasic.inspection.wrapped_pixels import wrapped_pixels
    >>> slope = np.arange(0, 1200, 24)[None, :, None] + np.arange(30)
    >>> x = np.repeat(slope, 20, axis=0)
    >>> wrapped_pixels(x.astype("uint8"))[0] > 0.01, wrapped_pixels(x / 2)[0]
    (True, nan)
    """
    unknown = float("nan"), False
    if x.ndim not in (3, 4) or x.dtype.kind not in "iuf" or len(x) < 1:
        return unknown
    if min(x.shape[1:3]) < LEAST_SIDE:
        return unknown
    # cut out before anything is computed, so that large pictures take little memory
    few = x[:, :MOST_SIDE, :MOST_SIDE]
    few = few[..., None] if x.ndim == 3 else few[..., :MOST_CHANNELS]
    rows = min(ROWS, max(1, MOST_PIXELS // max(1, few[0].size)))
    few = few[evenly(len(x), rows)]
    flat = few.reshape(-1)
    first = flat[evenly(flat.size, FIRST_VALUES)]
    if not _may_be_levels(first):
        return unknown
    levels = _levels(few)
    if levels is None:
        return unknown
    channels = levels.shape[-1]
    shares = [_wrapped(levels[..., channel]) for channel in range(channels)]
    most = max(shares)
    if channels == 1:
        return most, most > 0 and _is_uniform(levels)
    only_first = channels == HUES and shares[0] > 0 and not any(shares[1:])
    return most, only_first


def _is_uniform(levels: np.ndarray) -> bool:
    counts = np.bincount(levels.ravel(), minlength=LEVELS)[:LEVELS]
    usual = counts.mean()
    return bool(np.mean((counts > usual / 3) & (counts < usual * 3)) > NEARLY_ALL)


def _wrapped(levels: np.ndarray) -> float:
    """Return the share of neighbors in one channel, `[n, height, width]`."""
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


def _may_be_levels(some: np.ndarray) -> bool:
    """Return whether values lie on a grid of at most 256 levels, by a few of them."""
    if not np.isfinite(some).all():
        return False
    return some.dtype.kind in "iu" or len(np.unique(some)) <= LEVELS


def _levels(values: np.ndarray) -> np.ndarray | None:
    """Return the bytes that values were made of; None if they were not."""
    if not np.isfinite(values).all():
        return None
    low, high = float(values.min()), float(values.max())
    if high - low <= 0:
        return None
    kind = np.float64 if values.dtype.kind == "f" and high > 1e4 else np.float32
    parts = (values - np.asarray(low, values.dtype)).astype(kind)
    parts /= high - low
    # 0 and 255 need not both occur
    some = parts.reshape(-1)[evenly(parts.size, FIRST_VALUES)]
    for span in range(LEVELS - 1, int(FULL * LEVELS) - 1, -1):
        if np.abs(some * span - np.round(some * span)).max() < NEARLY:
            levels = parts * span
            rounded = np.round(levels)
            levels -= rounded
            if np.abs(levels).max() < NEARLY:
                return rounded.astype(np.int16)
    return None
