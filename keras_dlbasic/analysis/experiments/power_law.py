"""Error against sample size, as a power law."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from keras_dlbasic._display import Displayed
from keras_dlbasic._wrong_arguments import names_nearest
from keras_dlbasic.analysis.experiments.comparison import Interval

EXPONENTS = np.geomspace(0.05, 2.0, 60)
"""Exponents that are tried; Hestness et al. (2017) found 0.07 to 0.5."""

DRAWS = 400


@names_nearest
@dataclass(frozen=True, repr=False)
class PowerLaw(Displayed):
    """The law `floor + factor * n ** -exponent`, fitted to errors.

    Attributes:
        factor: How far the error at one sample is above the floor.
        exponent: How fast the error falls.
        floor: The error that remains with infinitely many samples.
        draws: Laws `[draws, 3]` (factor, exponent, floor) that are consistent with the
            scatter of the errors.
        sizes: Sample sizes that it was fitted to.

    Example:
    >>> import numpy as np
    >>> import keras_dlbasic as kd
    >>> n = np.array([50, 100, 200, 400])
    >>> errors = (0.1 + 2 * n**-0.5)[:, None] * [[0.99, 1.01]]
    >>> law = kd.analysis.fit_power_law(n, errors)
    >>> bool(0.1 < law(800) < 0.2)  # the error with twice the data
    True
    """

    factor: float
    exponent: float
    floor: float
    draws: np.ndarray = field(repr=False)
    sizes: np.ndarray = field(repr=False)

    def __str__(self) -> str:
        floor = f"{self.floor:.3g} + " if self.floor else ""
        return (
            f"error(n) = {floor}{self.factor:.3g} * n ** -{self.exponent:.3g}, "
            f"fitted to {len(self.sizes)} sizes"
        )

    def __call__(self, n: Any) -> np.ndarray:
        """Return the error at a number of samples."""
        return self.floor + self.factor * np.asarray(n, np.float64) ** -self.exponent

    def predict(
        self, n: float, *, level: float = 0.95, most: float = np.inf
    ) -> Interval:
        """Return the error at a number of samples, with its uncertainty.

        Args:
            n: Number of samples, also beyond those measured.
            level: Confidence level. Defaults to 0.95.
            most: The largest possible error, 1 for a share. Defaults to no limit.
        """
        factor, exponent, floor = self.draws.T
        values = np.minimum(floor + factor * float(n) ** -exponent, most)
        low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
        middle = min(float(self(n)), most)
        return Interval(
            middle, min(float(low), middle), max(float(high), middle), len(self.sizes)
        )


@names_nearest
def fit_power_law(sizes: Any, errors: Any, *, seed: int = 0) -> PowerLaw | None:
    """Fit a falling power law with a floor to errors at several sample sizes.

    Relative deviations are minimized. For each exponent, factor and floor follow from
    non-negative least squares, so there are no local minima. For the uncertainty, the
    fit is repeated on means drawn from Student's t distribution. Its scale is the
    scatter of the seeds, pooled over sizes, and at least the scatter around the law.

    Args:
        sizes: Sample sizes `[sizes]`, at least three different ones.
        errors: `[sizes, seeds]`; NaN where a trial failed.
        seed: For the draws. Defaults to 0.

    Returns:
        A `PowerLaw`; None with fewer than three sizes, or without an error above zero.

    Reference:
        Cortes, Jackel, Solla, Vapnik & Denker (1993), Learning curves; Hestness et al.
        (2017), Deep learning scaling is predictable, empirically.

    Example:
    >>> import numpy as np
    >>> from keras_dlbasic.analysis import fit_power_law
    >>> n = np.array([50, 100, 200, 400])
    >>> law = fit_power_law(n, (0.1 + 2 * n**-0.5)[:, None] * [[0.99, 1.01]])
    >>> round(law.exponent, 1), round(law.floor, 1)
    (0.5, 0.1)
    """
    n = np.asarray(sizes, np.float64)
    e = np.asarray(errors, np.float64).reshape(len(n), -1)
    counts = np.isfinite(e).sum(axis=1)
    usable = counts > 0
    n, e, counts = n[usable], e[usable], counts[usable]
    if len(np.unique(n)) < 3:
        return None
    means = np.nanmean(e, axis=1)
    if not (means > 0).any():
        return None
    # Relative errors: those of small samples are ten times as large and would decide
    # alone. Errors close to zero must not count without bounds, though.
    weights = 1 / np.maximum(means, 0.02 * means.max())
    law = _fit(n, means[None], weights)[0]
    relative, df = _scatter(n, e, means, weights, law)
    rng = np.random.default_rng(seed)
    # The law is fitted again to errors as other seeds might have given them. How the
    # fits scatter is how well the law is known.
    noise = rng.standard_t(df, size=(DRAWS, len(n))) * relative / weights
    drawn = np.maximum(means + noise / np.sqrt(counts), 0)
    factor, exponent, floor = (float(value) for value in law)
    return PowerLaw(factor, exponent, floor, _fit(n, drawn, weights), n)


def _scatter(
    n: np.ndarray, e: np.ndarray, means: np.ndarray, weights: np.ndarray, law: Any
) -> tuple[float, int]:
    """Return the scatter of one seed, as a share of the error, and its freedom."""
    residual = (e - means[:, None]) * weights[:, None]
    df = int(np.isfinite(e).sum() - len(n))
    of_seeds = float(np.nansum(residual**2) / df) if df else 0.0
    off = (means - (law[2] + law[0] * n ** -law[1])) * weights
    # what the law leaves over, as if it were the scatter of single seeds
    of_law = float((off**2).sum() / max(1, len(n) - 3)) * e.shape[1]
    return float(np.sqrt(max(of_seeds, of_law))), max(2, df, len(n) - 3)


def _fit(n: np.ndarray, errors: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return factor, exponent and floor for each row of `errors`."""
    best = np.full(len(errors), np.inf)
    found = np.zeros((len(errors), 3))
    w2 = weights**2
    # For a given exponent the rest is linear, so that trying many exponents needs no
    # search and no start to begin from, for all draws at once.
    for exponent in EXPONENTS:
        p = n**-exponent
        spp, sp, s1 = (w2 * p * p).sum(), (w2 * p).sum(), w2.sum()
        spy, sy = errors @ (w2 * p), errors @ w2
        det = spp * s1 - sp * sp
        factor, floor = (spy * s1 - sy * sp) / det, (spp * sy - sp * spy) / det
        # at a bound the other one is fitted alone
        alone = spy / spp
        factor, floor = (
            np.where(floor < 0, alone, np.where(factor < 0, 0.0, factor)),
            np.where(floor < 0, 0.0, np.where(factor < 0, sy / s1, floor)),
        )
        error = (w2 * (errors - floor[:, None] - factor[:, None] * p) ** 2).sum(axis=1)
        better = error < best
        best = np.where(better, error, best)
        law = np.stack([factor, np.full_like(factor, exponent), floor], axis=1)
        found = np.where(better[:, None], law, found)
    return found
