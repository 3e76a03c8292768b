"""Curves of runs whose learning rate comes back up: warm restarts and cyclic rates."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import f as f_law

SHORTEST = 3
"""Shortest cycle that is looked for in curves, in epochs."""

CHANCE = 1e-6
"""Chance at which noise may be taken for a cycle, in one of the periods tried."""

LEAST_RISE = 0.2
"""Share of the mean swing by which a curve has to rise again in each cycle."""

RESTART = 1.5
"""A rate that comes back up by this factor begins another cycle."""

TROUGH = 0.15
"""Share of the swing of the rate, above its lowest, that belongs to the trough."""


@dataclass(frozen=True)
class LevelCurves:
    """Training and validation curves that can be compared from epoch to epoch.

    Attributes:
        train: Training curve, `[n]`. NaN in epochs that are left out.
        val: Validation curve, `[n]`, likewise.
        cyclic: Whether epochs of the same phase are compared.
        explained: Whether the learning rate is known to be what causes them.
    """

    train: np.ndarray
    val: np.ndarray
    cyclic: bool
    explained: bool = False


def without_cycles(
    train: np.ndarray, val: np.ndarray, rate: np.ndarray | None = None
) -> LevelCurves:
    """Return the curves without what a cyclic learning rate does to them.

    While the rate is high both losses are high, whatever the model has learned. So
    epochs of the same phase have to be compared with each other: the mean swing of a
    cycle is taken out of both curves. Where the length of the cycles changes, or fewer
    than three have passed, only the epochs at the lowest rates remain (compare troughs
    with troughs). Before the rate has come down a second time there is nothing to
    compare with, and the first cycle remains. Without the rate, the period is looked
    for in the training curve.

    Args:
        train: Training curve, `[n]`.
        val: Validation curve, `[n]`, NaN in epochs without validation.
        rate: Learning rate of each epoch, `[n]`. Defaults to None: not known.

    Example:
    >>> import numpy as np
    >>> from keras_dlbasic.analysis.overfitting.curve_cycles import without_cycles
    >>> t = np.arange(40)
    >>> swing = 1 + 0.2 * (t % 8 < 2)
    >>> curves = without_cycles(np.exp(-t / 20) * swing, swing)
    >>> curves.cyclic, bool(np.ptp(curves.val) < 0.02)
    (True, True)
    """
    starts = None if rate is None else cycle_starts(rate)
    if starts is not None and len(starts) < 2:
        return LevelCurves(train, val, False)
    period = (
        _period_in(train, val) if starts is None else _even_period(starts, len(train))
    )
    enough = period is not None and SHORTEST <= period <= len(train) // 3
    if period is not None and enough and np.isfinite(val).all():
        flat = _unfold(train, period), _unfold(val, period)
        return LevelCurves(*flat, cyclic=True, explained=starts is not None)
    if starts is None or rate is None:
        return LevelCurves(train, val, False)
    kept = _in_trough(rate, starts)
    # After one restart all troughs may be that of the first cycle. What was seen of
    # that cycle stands until a second trough can be compared with its trough.
    has_second = bool(kept[starts[1] :].any())
    if not has_second:
        kept = np.arange(len(rate)) < starts[1]
    lowest = np.where(kept, train, np.nan), np.where(kept, val, np.nan)
    return LevelCurves(*lowest, cyclic=has_second, explained=True)


def cycle_starts(rate: np.ndarray) -> np.ndarray:
    """Return where cycles of the learning rate begin; one of them if there are none.

    Example:
    >>> import numpy as np
    >>> from keras_dlbasic.analysis.overfitting.curve_cycles import cycle_starts
    >>> cycle_starts(np.array([4.0, 2.0, 1.0, 4.0, 2.0, 1.0])).tolist()
    [0, 3]
    """
    starts, lowest, place, has_fallen = [0], np.inf, 0, False
    highest = 0.0
    for epoch, value in enumerate(np.asarray(rate, np.float64)):
        if not np.isfinite(value):
            continue
        # A rate that only rises so far is a warmup: no cycle ends in it.
        if has_fallen and value > RESTART * lowest:
            starts.append(place + 1)
            lowest, highest, has_fallen = value, value, False
        highest = max(highest, value)
        if value <= lowest or not has_fallen:
            lowest, place = value, epoch
        has_fallen = has_fallen or highest > RESTART * value
    return np.array(starts)


def _even_period(starts: np.ndarray, n: int) -> int | None:
    """Return the length of all cycles, None if they differ.

    The cycle that is under way counts as soon as it is longer than those before.
    """
    lengths = np.diff(starts)
    # A rate that begins by rising has a first cycle of half the length.
    if len(lengths) > 2 and lengths[0] < lengths[1]:
        lengths = lengths[1:]
    period = int(lengths[0])
    is_even = np.all(lengths == period) and n - starts[-1] <= period
    return period if is_even else None


def _in_trough(rate: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """Return which epochs have rates as low as at the end of a cycle."""
    kept = np.zeros(len(rate), bool)
    limit = np.inf
    for start, end in zip(starts, [*starts[1:], len(rate)], strict=True):
        here = rate[start:end]
        # The cycle that is under way has not come down yet: what counts as low in it is
        # what was low in the one before.
        if end < len(rate) or not np.isfinite(limit):
            limit = np.nanmin(here) + TROUGH * (np.nanmax(here) - np.nanmin(here))
        kept[start:end] = here <= limit * (1 + 1e-9)
    return kept


def _period_in(train: np.ndarray, val: np.ndarray) -> int | None:
    """Return the length of the cycles that both curves show, None if there are none."""
    if not (np.isfinite(train).all() and np.isfinite(val).all()):
        return None
    best, found = CHANCE, None
    for period in range(SHORTEST, len(train) // 3 + 1):
        chance = _chance_of(train, period)
        if chance < best:
            best, found = chance, period
    # The training curve chooses the period. The validation curve, asked about this
    # one only, has to show it too.
    if not found or not _in_every_cycle(train, found):
        return None
    return found if _chance_of(val, found) < 0.01 else None


def _in_every_cycle(values: np.ndarray, period: int) -> bool:
    """Return whether a curve rises again in each cycle, by a good part of the swing.

    Drops of the rate that are a period apart make a swing, too, but no rise.
    """
    logs = _logs(values)
    size = float(np.ptp(_median_swing(*_around_mean(logs, period), period)))
    for start in range(period, len(logs) - period + 1, period):
        window = logs[start - period : start + period]
        rise = float((window - np.minimum.accumulate(window)).max())
        if rise < LEAST_RISE * size:
            return False
    return True


def _median_swing(around: np.ndarray, phase: np.ndarray, period: int) -> np.ndarray:
    """Return the median at each phase, 0 where there is none."""
    found = [around[phase == place] for place in range(period)]
    return np.array([np.median(here) if len(here) else 0.0 for here in found])


def _chance_of(values: np.ndarray, period: int) -> float:
    """Return the chance of a swing of this period as regular as this one in noise."""
    around, phase = _around_mean(_logs(values), period)
    sums = np.bincount(phase, around, period)
    counts = np.bincount(phase, minlength=period)
    between = float((sums**2 / np.maximum(counts, 1)).sum())
    within = float(around @ around) - between
    free = len(around) - period
    if free < 1 or between <= 0:
        return 1.0
    ratio = (between / (period - 1)) / max(within / free, 1e-12)
    if ratio < 2.5:  # spare the law: no chance that is asked about is so large
        return 1.0
    return float(f_law.sf(ratio, period - 1, free))


def _unfold(values: np.ndarray, period: int) -> np.ndarray:
    """Take the median swing of a cycle out of a curve; its troughs stay as they are."""
    around, phase = _around_mean(_logs(values), period)
    known = np.isfinite(around)
    # The first cycle is mostly the early descent, which is no part of the swing.
    late = known & (np.arange(len(around)) >= period // 2)
    swing = _median_swing(around[late], phase[late], period)
    swing -= swing.min()
    all_phases = np.arange(len(values)) % period
    if _has_logs(values):
        return np.asarray(values * np.exp(-swing[all_phases]))
    return np.asarray(values - swing[all_phases])


def _around_mean(values: np.ndarray, period: int) -> tuple[np.ndarray, np.ndarray]:
    """Return what is left of a curve around its mean over one cycle, and the phases."""
    half = period // 2
    weights = np.ones(period + 1 - period % 2)
    # An even number of epochs has no middle one: half of the next cycle's first epoch
    # is taken for half of this one's.
    if period % 2 == 0:
        weights[[0, -1]] = 0.5
    means = np.convolve(values, weights / weights.sum(), "valid")
    places = np.arange(half, half + len(means))
    return values[places] - means, places % period


def _has_logs(values: np.ndarray) -> bool:
    known = values[np.isfinite(values)]
    return bool(len(known) and known.min() > 0)


def _logs(values: np.ndarray) -> np.ndarray:
    return np.log(values) if _has_logs(values) else values
