"""Comparing what was measured several times."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from keras_dlbasic._display import Displayed
from keras_dlbasic._wrong_arguments import names_nearest

MIN_EQUAL = 3
"""With fewer seeds, results that are equal may be so by chance."""

EQUAL = 1e-12
"""Values that differ by less, relative to their mean, differ by rounding only."""


@names_nearest
@dataclass(frozen=True, repr=False)
class Interval(Displayed):
    """A mean and its confidence interval.

    Attributes:
        mean: The mean; with `log`, the geometric mean.
        low: Lower end; with a single value minus infinity, or 0 on a log scale.
        high: Upper end.
        n: Number of values.

    Example:
    >>> from keras_dlbasic.analysis import Interval
    >>> print(Interval(mean=1.1, low=0.852, high=1.35, n=3))
    1.1 [0.852, 1.35]
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
    """Return the mean of repeated measurements and its confidence interval.

    Student's interval, where it stays within the bounds. An end that would leave them
    is taken from the same interval for the logit of the share (two bounds) or for the
    logarithm of the distance to the bound (one). Values that are all equal say little
    of their error: a share then has Jeffreys' interval for this many trials, and two
    other values have no ends, as a single one.

    Args:
        values: Measurements; what is not finite (or, with `log`, not positive) is left
            out.
        level: Confidence level. Defaults to 0.95.
        log: Whether the interval is that of the logarithms, as suits times and rates.
        bounds: What the mean cannot leave, as `(0, 1)` for a share. Defaults to no
            bounds.

    Returns:
        An `Interval`; of NaN if nothing is left.

    Example:
    >>> from keras_dlbasic.analysis.experiments.comparison import mean_interval
    >>> print(mean_interval([1.0, 1.2, 1.1]))
    1.1 [0.852, 1.35]
    """
    kept = np.asarray(values, np.float64)
    kept = kept[np.isfinite(kept) & ((kept > 0) | (not log))]
    if not len(kept):
        nan = float("nan")
        return Interval(nan, nan, nan, 0)
    # Means of logarithms: times and counts differ by factors, and their scatter grows
    # with their size.
    kept = np.log(kept) if log else kept
    if not log:
        mean = float(kept.mean())
        low, high = _ends(kept, level, *bounds)
        return Interval(mean, low, high, len(kept))
    mean = float(np.exp(kept.mean()))
    low, high = np.exp(_ends(kept, level, -np.inf, np.inf))
    ends = max(float(low), bounds[0]), min(float(high), bounds[1])
    return Interval(mean, *ends, len(kept))


def _ends(
    values: np.ndarray, level: float, least: float, most: float
) -> tuple[float, float]:
    """Return the ends of the interval for the mean, within what it can be."""
    from scipy.stats import t as student

    n, mean = len(values), float(values.mean())
    # Equal up to rounding: the same errors may be added up in another order.
    if n > 1 and np.ptp(values) <= EQUAL * max(abs(mean), 1e-300):
        return _equal(mean, n, level, least, most)
    # one measurement says nothing of its own error: its interval has no ends
    if n < 2:
        return least, most
    error = float(values.std(ddof=1)) / np.sqrt(n)
    half = float(student.ppf(0.5 + level / 2, n - 1)) * error
    low, high = mean - half, mean + half
    if low < least:
        low = _within(mean, -half, least, most)
    if high > most:
        high = _within(mean, half, least, most)
    return low, high


def _within(mean: float, half: float, least: float, most: float) -> float:
    """Return the end of the interval on a scale on which there are no bounds."""
    below, above = mean - least, most - mean
    # The slope of the scale at the mean gives the error on it (the delta method).
    if np.isinf(above):
        return least + below * float(np.exp(half / below)) if below > 0 else least
    if np.isinf(below):
        return most - above * float(np.exp(-half / above)) if above > 0 else most
    if below <= 0 or above <= 0:
        return least if half < 0 else most
    width = most - least
    logit = np.log(below / above) + half * width / (below * above)
    return least + width / (1 + float(np.exp(-logit)))


def _equal(
    mean: float, n: int, level: float, least: float, most: float
) -> tuple[float, float]:
    from scipy.stats import beta

    if np.isfinite([least, most]).all():
        share = (mean - least) / (most - least)
        law = beta(n * share + 0.5, n * (1 - share) + 0.5)
        low, high = (least + (most - least) * float(law.ppf(q)) for q in _tails(level))
        return min(low, mean), max(high, mean)
    return (least, most) if n < MIN_EQUAL else (mean, mean)


def _tails(level: float) -> tuple[float, float]:
    return 0.5 - level / 2, 0.5 + level / 2


@dataclass(frozen=True, repr=False)
class Ranking(Displayed):
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
    bounds: tuple[float, float] = (-np.inf, np.inf),
) -> Ranking:
    """Order arms by the mean of a measure, with intervals.

    Two arms are distinguished only where their confidence intervals do not overlap.

    Args:
        measure: Its name.
        values: Measurements by arm, one per seed.
        level: Confidence level. Defaults to 0.95.
        log: Whether to compare logarithms, as suits times and rates.
        bounds: What the mean cannot leave. Defaults to no bounds.

    Returns:
        A `Ranking`; arms without a finite value are left out.

    Example:
    >>> from keras_dlbasic.analysis.experiments.comparison import rank
    >>> print(rank("loss", {"a": [3.0, 3.1], "b": [1.0, 1.1], "c": [1.0, 1.2]}))
    loss: b ≈ c < a (not distinguishable: b and c)
    """
    found = {
        arm: mean_interval(v, level=level, log=log, bounds=bounds)
        for arm, v in values.items()
    }
    kept = sorted((a for a in found if found[a].n), key=lambda arm: found[arm].mean)
    return Ranking(measure, tuple(kept), tuple(found[arm] for arm in kept))
