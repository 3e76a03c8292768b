"""Comparing what was measured several times."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Interval:
    """A mean and its confidence interval.

    Attributes:
        mean: The mean (of the logarithms, put back, where `log` was asked for).
        low: Lower end; minus infinity, or 0 on a log scale, from a single value.
        high: Upper end.
        n: Number of values.
    """

    mean: float
    low: float
    high: float
    n: int

    def overlaps(self, other: Interval) -> bool:
        """Return whether the intervals share a value."""
        return not (self.high < other.low or other.high < self.low)

    def __str__(self) -> str:
        return f"{self.mean:.3g} [{self.low:.3g}, {self.high:.3g}]"


def mean_interval(
    values: Any,
    *,
    level: float = 0.95,
    log: bool = False,
    bounds: tuple[float, float] = (-np.inf, np.inf),
) -> Interval:
    """Return the mean of repeated measurements and Student's interval for it.

    Args:
        values: Measurements; what is not finite (or, with `log`, not positive) is left
            out.
        level: Confidence level. Defaults to 0.95.
        log: Whether the interval is that of the logarithms, as suits times and rates.
        bounds: What the mean cannot leave: the interval is cut off there, as `(0, 1)`
            for a share. Defaults to no bounds.

    Returns:
        An `Interval`; of NaN if nothing is left.

    Example:
    >>> from keras_dlbasic.analysis.experiments.comparison import mean_interval
    >>> print(mean_interval([1.0, 1.2, 1.1]))
    1.1 [0.852, 1.35]
    """
    from scipy.stats import t as student

    kept = np.asarray(values, np.float64)
    kept = kept[np.isfinite(kept) & ((kept > 0) | (not log))]
    if not len(kept):
        nan = float("nan")
        return Interval(nan, nan, nan, 0)
    # Means of logarithms: times and counts differ by factors, and their scatter grows
    # with their size.
    kept = np.log(kept) if log else kept
    mean = float(kept.mean())
    # one measurement says nothing of its own error: its interval has no ends
    half = np.inf
    if len(kept) > 1:
        error = float(kept.std(ddof=1)) / np.sqrt(len(kept))
        half = float(student.ppf(0.5 + level / 2, len(kept) - 1)) * error
    ends = mean, mean - half, mean + half
    if log:
        ends = tuple(float(np.exp(end)) for end in ends)  # type: ignore[assignment]
    low, high = max(ends[1], bounds[0]), min(ends[2], bounds[1])
    return Interval(ends[0], low, high, len(kept))


@dataclass(frozen=True)
class Ranking:
    """Arms in order of what was measured, the smallest first.

    Attributes:
        measure: What was measured.
        order: The arms.
        intervals: One `Interval` per arm, in that order.
        note: Why nothing is ranked, or empty.
    """

    measure: str
    order: tuple[Hashable, ...]
    intervals: tuple[Interval, ...]
    note: str = ""

    def distinguishable(self, one: Hashable, other: Hashable) -> bool:
        """Return whether the intervals of two arms do not overlap."""
        a, b = (self.intervals[self.order.index(arm)] for arm in (one, other))
        return not a.overlaps(b) and a.n > 0 and b.n > 0

    def __str__(self) -> str:
        if self.note:
            return f"{self.measure}: {self.note}"
        if not self.order:
            return f"{self.measure}: nothing to rank"
        words = [str(self.order[0])]
        unclear = []
        for one, other in zip(self.order, self.order[1:], strict=False):
            clear = self.distinguishable(one, other)
            words.append(f"{'<' if clear else '≈'} {other}")
            if not clear:
                unclear.append(f"{one} and {other}")
        text = f"{self.measure}: {' '.join(words)}"
        return text + (f" (not distinguishable: {', '.join(unclear)})" * bool(unclear))


def rank(
    measure: str,
    values: Mapping[Hashable, Any],
    *,
    level: float = 0.95,
    log: bool = False,
) -> Ranking:
    """Order arms by the mean of a measure, with intervals.

    Two arms are distinguished only where their confidence intervals do not overlap.

    Args:
        measure: Its name.
        values: Measurements by arm, one per seed.
        level: Confidence level. Defaults to 0.95.
        log: Whether to compare logarithms, as suits times and rates.

    Returns:
        A `Ranking`; arms without a finite value are left out.

    Example:
    >>> from keras_dlbasic.analysis.experiments.comparison import rank
    >>> print(rank("loss", {"a": [3.0, 3.1], "b": [1.0, 1.1], "c": [1.0, 1.2]}))
    loss: b ≈ c < a (not distinguishable: b and c)
    """
    found = {arm: mean_interval(v, level=level, log=log) for arm, v in values.items()}
    kept = sorted((a for a in found if found[a].n), key=lambda arm: found[arm].mean)
    return Ranking(measure, tuple(kept), tuple(found[arm] for arm in kept))
