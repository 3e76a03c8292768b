"""What is known of the units of a layer from sums over a batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

MOSTLY = 0.95
"""A unit is saturated if it is so for this share of the samples."""

SMALLEST, LARGEST = 1e-15, 1e15
"""Squares of activations beyond these sizes leave the range of single precision."""


@dataclass(frozen=True)
class UnitMoments:
    """Moments of the activations of each unit of a layer.

    Attributes:
        n: Number of entries of each unit: samples times positions.
        mean: Mean of each unit, `[n_units]`.
        variance: Variance of each unit, `[n_units]`.
        size: Mean absolute activation of each unit, `[n_units]`.
        saturated: Number of entries of each unit where its activation is saturated,
            `[n_units]`; None where it levels off nowhere.
    """

    n: int
    mean: np.ndarray
    variance: np.ndarray
    size: np.ndarray
    saturated: np.ndarray | None = None

    @classmethod
    def of_arrays(
        cls, units: np.ndarray, saturated: np.ndarray | None = None
    ) -> UnitMoments:
        """Return the moments of activations, `[n, n_units]`.

        Args:
            units: The activations.
            saturated: Where they are saturated, same shape. Defaults to None.
        """
        with np.errstate(over="ignore", invalid="ignore"):
            return cls(
                n=len(units),
                mean=units.mean(axis=0),
                variance=units.var(axis=0),
                size=np.abs(units).mean(axis=0),
                saturated=None if saturated is None else saturated.sum(axis=0),
            )

    @classmethod
    def of_sums(cls, sums: np.ndarray, n: int) -> UnitMoments:
        """Return the moments that follow from sums over `n` entries of each unit.

        Args:
            sums: `[4, n_units]` or `[5, n_units]`: a value near the mean of each unit;
                then the sums of differences from it, of absolute activations and of
                squared differences; and the number of entries that are saturated.
            n: Number of entries.
        """
        pilot, difference, size, square, *saturated = np.asarray(sums, np.float64)
        with np.errstate(over="ignore", invalid="ignore"):
            # The sums are of differences from a pilot mean, which keeps the digits of a
            # small variance beside a large mean. The variance does not depend on the
            # pilot.
            shift = difference / n
            # rounding may take a variance of zero below it; NaN stays NaN
            variance = np.maximum(square / n - shift**2, 0.0)
        counts = saturated[0] if saturated else None
        return cls(n, pilot + shift, variance, size / n, counts)

    @property
    def is_in_range(self) -> bool:
        """Whether sums of squares in single precision can be relied on."""
        average = float(self.size.mean())
        return average == 0 or np.isnan(average) or SMALLEST < average < LARGEST

    @property
    def as_one_unit(self) -> UnitMoments:
        """The moments of all units taken together."""
        saturated = self.saturated
        # Law of total variance: the mean of the variances plus the variance of the
        # means.
        with np.errstate(over="ignore", invalid="ignore"):
            return UnitMoments(
                n=self.n * len(self.mean),
                mean=np.atleast_1d(self.mean.mean()),
                variance=np.atleast_1d(self.variance.mean() + self.mean.var()),
                size=np.atleast_1d(self.size.mean()),
                saturated=None if saturated is None else np.atleast_1d(saturated.sum()),
            )


def merged(parts: Sequence[UnitMoments]) -> UnitMoments:
    """Return the moments over several batches, of the same units in each.

    Args:
        parts: The moments of the batches.

    Example:
    >>> import numpy as np
    >>> from keras_dlbasic.analysis.activations.unit_moments import UnitMoments, merged
    >>> units = np.array([[0.0], [1.0], [5.0]])
    >>> parts = [UnitMoments.of_arrays(units[:1]), UnitMoments.of_arrays(units[1:])]
    >>> merged(parts).mean, merged(parts).variance.round(3)
    (array([2.]), array([4.667]))
    """
    if len(parts) == 1:
        return parts[0]
    n = sum(part.n for part in parts)
    weights = [part.n / n for part in parts]

    def average(values: Sequence[np.ndarray]) -> np.ndarray:
        pairs = zip(weights, values, strict=True)
        return np.asarray(sum(weight * value for weight, value in pairs))

    with np.errstate(over="ignore", invalid="ignore"):
        mean = average([part.mean for part in parts])
        # Law of total variance: each part brings its own variance, and the distance of
        # its mean from the common one.
        spread = [part.variance + (part.mean - mean) ** 2 for part in parts]
        saturated = [part.saturated for part in parts if part.saturated is not None]
        return UnitMoments(
            n=n,
            mean=mean,
            variance=average(spread),
            size=average([part.size for part in parts]),
            saturated=sum(saturated[1:], saturated[0]) if saturated else None,
        )


def statistics_of(units: UnitMoments, dormant: float) -> dict[str, float]:
    """Return what `activation_statistics` says of units with these moments.

    Args:
        units: The moments.
        dormant: Score up to which a unit counts as dormant.
    """
    nan = float("nan")
    whole, counts = units.as_one_unit, units.saturated
    share = None if counts is None else counts / units.n
    with np.errstate(over="ignore", invalid="ignore"):
        return {
            "mean": float(whole.mean[0]),
            "variance": float(whole.variance[0]),
            # absolute values add up to zero only if all of them are
            "dead_units": float(np.mean(units.size == 0)),
            "dormant_units": float(np.mean(units.size <= dormant * whole.size[0])),
            "saturated_units": nan
            if share is None
            else float(np.mean(share >= MOSTLY)),
            "saturated_share": nan if share is None else float(np.mean(share)),
        }
