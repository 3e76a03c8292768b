"""Arms against a baseline, on the same seeds and the same held-out rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from keras_dlbasic._display import Displayed
from keras_dlbasic._wrong_arguments import names_nearest
from keras_dlbasic.analysis.experiments.comparison import Interval


@names_nearest
@dataclass(frozen=True, repr=False)
class PairedDifference(Displayed):
    """The difference of a measure between an arm and the baseline.

    Attributes:
        interval: The mean difference and its simultaneous confidence interval.
        standard_error: Standard error of the mean difference.
        from_seeds: The part of its variance that comes from the seeds.
        from_rows: The part that comes from the held-out rows.

    Example:
    >>> import numpy as np
    >>> import keras_dlbasic as kd
    >>> rng = np.random.default_rng(0)
    >>> base = (rng.random((5, 500)) < 0.3).astype(float)
    >>> found = kd.analysis.paired_differences({"same": base}, base)["same"]
    >>> found.interval.mean, found.is_lower
    (0.0, False)
    """

    interval: Interval
    standard_error: float
    from_seeds: float
    from_rows: float

    @property
    def is_lower(self) -> bool:
        """Whether the measure is clearly lower."""
        return bool(self.interval.high < 0)

    @property
    def is_higher(self) -> bool:
        """Whether the measure is clearly higher."""
        return bool(self.interval.low > 0)

    def within(self, least: float, most: float) -> PairedDifference:
        """Return it with the interval clipped to the possible differences.

        An error of 0.1, for example, cannot fall by more than 0.1. Whether the measure
        is clearly lower or higher does not change.

        Args:
            least: The lowest possible difference, not above 0.
            most: The highest, not below 0.
        """
        found = self.interval
        if found.n < 2:
            return self
        low, high = max(found.low, least), min(found.high, most)
        return replace(self, interval=replace(found, low=low, high=high))

    def __str__(self) -> str:
        mean, low, high = self.interval.mean, self.interval.low, self.interval.high
        return f"{mean:+.3g} [{low:+.3g}, {high:+.3g}]"


@names_nearest
def paired_differences(
    arms: Mapping[str, np.ndarray], baseline: np.ndarray, *, level: float = 0.95
) -> dict[str, PairedDifference]:
    """Compare each arm with the baseline, seed by seed and row by row.

    Seeds and held-out rows are both samples: other seeds and other data would give
    another difference. So both enter the variance (crossed random effects). For S seeds
    and R rows, the variance of the mean is `(MS_seeds + MS_rows - MS_rest) / (S * R)`
    with the mean squares of a two-way layout, where MS_seeds is at least MS_rest. With
    few seeds the variance between them is uncertain. A variance below the median of all
    arms is therefore replaced by the mean of both (moderation by Smyth 2004, with as
    much prior weight as data), and the degrees of freedom are twice those of one arm.
    The intervals are simultaneous (Bonferroni). If no arm differs from the baseline,
    about 1 of 20 studies still finds an upper end below zero, and as many a lower end
    above zero (simulated with 11 arms: 0.5 to 6 of 100).

    Args:
        arms: Errors `[seeds, rows]` by name.
        baseline: Errors `[seeds, rows]` of the baseline, the same seeds and rows.
        level: Confidence level of each end, for all arms together. Defaults to 0.95.

    Returns:
        A `PairedDifference` for each arm; with one seed its interval is infinite.

    Raises:
        ValueError: If shapes differ.

    Example:
    >>> import numpy as np
    >>> from keras_dlbasic.analysis import paired_differences
    >>> rng = np.random.default_rng(0)
    >>> base = (rng.random((5, 500)) < 0.3).astype(float)
    >>> better = base * (rng.random((5, 500)) < 0.5)
    >>> found = paired_differences({"better": better}, base)
    >>> found["better"].is_lower
    True
    """
    from scipy.stats import t as student

    if not arms:
        return {}
    for name, errors in arms.items():
        if np.shape(errors) != np.shape(baseline):
            raise ValueError(
                f"Arm {name!r} must have the seeds and rows of the baseline, "
                f"{np.shape(baseline)}. Received: {np.shape(errors)}"
            )
    parts = {name: _parts(errors - baseline) for name, errors in arms.items()}
    seeds = len(baseline)
    middle = float(np.median([seed for _, seed, _ in parts.values()]))
    quantile = np.inf
    if seeds > 1:
        share = (1 - level) / len(arms)
        quantile = float(student.ppf(1 - share, 2 * (seeds - 1)))
    found = {}
    for name, (mean, from_seeds, from_rows) in parts.items():
        # From a few seeds the variance of an arm is itself a guess, and a small one may
        # be luck. It is taken halfway to that of the other arms, which doubles what it
        # rests on.
        from_seeds = max(from_seeds, (from_seeds + middle) / 2)
        error = float(np.sqrt(from_seeds + from_rows))
        half = quantile * error if seeds > 1 else np.inf
        interval = Interval(mean, mean - half, mean + half, seeds)
        found[name] = PairedDifference(interval, error, from_seeds, from_rows)
    return found


def _parts(d: np.ndarray) -> tuple[float, float, float]:
    """Return the mean, and its variance that comes of seeds and of rows."""
    seeds, rows = d.shape
    mean = float(d.mean())
    if seeds < 2:
        return mean, 0.0, float(d.var(ddof=1) / rows) if rows > 1 else 0.0
    # An analysis of variance in two ways. Seeds and rows are both samples: the next
    # user has others of either. What is left, neither can explain.
    by_seed, by_row = d.mean(axis=1), d.mean(axis=0)
    ms_seeds = rows * float(by_seed.var(ddof=1))
    if rows < 2:
        return mean, ms_seeds / (seeds * rows), 0.0
    ms_rows = seeds * float(by_row.var(ddof=1))
    rest = d - by_seed[:, None] - by_row[None, :] + mean
    ms_rest = float((rest**2).sum() / ((seeds - 1) * (rows - 1)))
    # seeds that agree by chance have no less scatter than their rows bring along
    from_seeds = max(ms_seeds, ms_rest) / (seeds * rows)
    return mean, from_seeds, max(0.0, (ms_rows - ms_rest) / (seeds * rows))
