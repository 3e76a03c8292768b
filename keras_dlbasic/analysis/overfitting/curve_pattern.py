"""What curves do that do not overfit."""

from __future__ import annotations

from typing import Literal

import numpy as np

from keras_dlbasic.analysis.overfitting.curve_turn import (
    FEWEST_POINTS,
    curve_scale,
    difference_noise,
    without_outliers,
)
from keras_dlbasic.analysis.overfitting.unimodal import fall

Pattern = Literal[
    "overfitting",
    "improving",
    "plateau",
    "oscillating_loss",
    "diverging",
    "recovered",
    "non_finite_values",
    "no_validation",
    "too_short",
]

SWING = 0.05
"""Share of the level that a swing has to reach to be called one."""

CHANCE = 1e-3
"""Chance at which noise may be taken for an oscillation."""


def ends_non_finite(train: np.ndarray, val: np.ndarray) -> bool:
    """Return whether a run ends in values that are NaN or infinite.

    NaN in the validation loss alone means that an epoch had no validation, unless it
    lasts longer than any pause before.
    """
    if not len(train):
        return False
    if not np.isfinite(train[-1]) or np.isinf(val[-1]):
        return True
    # With `validation_freq` there are NaN between the values, as there should be. Only
    # an end without values that is longer than any pause before it means that the loss
    # was NaN there.
    known = np.flatnonzero(np.isfinite(val))
    if len(known) < 2:
        return False
    return bool(len(val) - 1 - known[-1] >= np.diff(known).max() + 1)


def change_since(train: np.ndarray, epoch: int) -> tuple[float, float]:
    """Return how much a training loss changed since an epoch, relative, and its error.

    The median around `epoch` is compared with that of the last epochs; the error is the
    standard error of the difference, from the curve's own noise.
    """
    known = np.flatnonzero(np.isfinite(train))
    finite = train[known]
    if len(finite) < FEWEST_POINTS:
        return 0.0, np.inf
    # Counted in epochs that have a value. Medians of three of them, so that one odd
    # epoch at either end is not taken for a change.
    place = int(np.searchsorted(known, epoch))
    around = finite[max(0, place - 1) : place + 2]
    last = finite[-min(3, max(1, len(finite) - 1 - place)) :]
    if not len(around):
        return 0.0, np.inf
    before, after = float(np.median(around)), float(np.median(last))
    noise = difference_noise(finite[-max(10, len(finite) - place) :])
    error = noise * np.sqrt(1 / len(around) + 1 / len(last))
    scale = curve_scale(finite, before)
    return (after - before) / scale, error / scale


def name_pattern(train: np.ndarray, val: np.ndarray) -> Pattern:
    """Name what a validation loss does that has not turned up for good."""
    known = np.isfinite(val)
    if known.sum() < FEWEST_POINTS:
        return "too_short"
    if _blows_up(val[known]) or _blows_up(train[np.isfinite(train)]):
        return "diverging"
    if oscillates(val[known]):
        return "oscillating_loss"
    if _came_back(val[known]):
        return "recovered"
    return "improving" if _falls(val[known]) else "plateau"


def oscillates(values: np.ndarray) -> bool:
    """Return whether a curve oscillates around the way it takes, regularly or widely.

    Regularly: one frequency holds more of the variance than in noise (Fisher, 1929).
    Widely: neighboring epochs differ by more than a fifth of the level.
    """
    # The first quarter is steep in most runs: no parabola fits that, and what it leaves
    # over would look like a swing.
    late = without_outliers(values)[len(values) // 4 :]
    if len(late) < 8:
        return False
    residuals = late - _smooth_fall(late)
    level = curve_scale(late, float(np.median(late)))
    deviation = float(residuals.std()) / level
    # a sine deviates from its mean by its height over the root of two
    if deviation < SWING / np.sqrt(2):
        return False
    # Fisher's test: the share that the strongest frequency has of all power, against
    # the chance that noise puts as much into any one of them. The two slowest are not
    # oscillations, but what the parabola could not follow.
    power = np.abs(np.fft.rfft(residuals - residuals.mean()))[1:] ** 2
    n = len(power)
    chance = n * (1 - power.max() / power.sum()) ** (n - 1)
    slowest = int(np.argmax(power)) < 2
    return bool((chance < CHANCE and not slowest) or deviation > 0.2)


def _smooth_fall(values: np.ndarray) -> np.ndarray:
    t = np.linspace(-1, 1, len(values))
    return np.polynomial.Polynomial.fit(t, values, 2)(t)


def _blows_up(values: np.ndarray) -> bool:
    """Return whether a curve ends above where it began, far above its lowest."""
    if len(values) < 3:
        return False
    lowest, last = float(values.min()), float(np.median(values[-2:]))
    scale = curve_scale(values, lowest)
    noise = difference_noise(values) if len(values) > 3 else 0.0
    # Above where it began as well: a curve that comes back up, but not that far, may
    # have overfitted, which is another matter.
    return last - lowest > max(scale, 6 * noise) and last > float(np.max(values[:2]))


def _came_back(values: np.ndarray) -> bool:
    """Return whether a curve rose for several epochs and then fell below its past."""
    smooth = without_outliers(values)
    excess = smooth - fall(smooth)
    above = excess > max(4 * difference_noise(values), 0.03 * abs(smooth.min()))
    # Where the flag changes, a run begins and ends by turns, so that every other
    # distance is the length of a run.
    runs = np.diff(np.flatnonzero(np.diff(np.r_[0, above, 0])))[::2]
    return bool(len(runs) and runs.max() >= FEWEST_POINTS)


def _falls(values: np.ndarray) -> bool:
    """Return whether the last third still falls, by more than noise."""
    last = values[-max(FEWEST_POINTS, len(values) // 3) :]
    t = np.arange(len(last)) - (len(last) - 1) / 2
    slope = float(t @ last / (t @ t))
    residuals = last - last.mean() - slope * t
    error = np.sqrt(residuals @ residuals / max(len(last) - 2, 1) / (t @ t))
    # Beyond noise and worth mentioning: over thousands of epochs the smallest slope is
    # beyond noise.
    drop = -slope * len(last) / curve_scale(values, float(values.min()))
    return bool(-slope > 2.5 * error and drop > 0.005)
