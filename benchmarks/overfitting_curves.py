"""Made training curves of which it is known whether and when they overfit.

Each kind is a function of a random generator and a number of epochs that returns the
curves without noise; noise is laid over them afterwards, so that the truth (does
the noise-free validation loss end above its lowest point, and where is that) is known.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Curve:
    """A made run: curves with noise, and the truth about it."""

    kind: str
    loss: np.ndarray
    val_loss: np.ndarray
    overfits: bool
    onset: int | None = None
    rise: float = 0.0  # of the noise-free curve, relative to its lowest point
    truth: np.ndarray | None = None  # `val_loss` without noise
    deviation: np.ndarray | None = None  # standard deviation of its noise, per epoch
    rate: np.ndarray | None = None  # learning rate per epoch, where it is known


def healthy(rng, n):
    """Return curves that fall to a floor, with a gap that stays."""
    train, val = _descent(rng, n)
    return train, val + rng.uniform(0, 0.25) * val[-1]


def dropout_gap(rng, n):
    """Return a validation loss below the training loss."""
    train, val = _descent(rng, n)
    return train + rng.uniform(0.05, 0.5) * val[-1], val


def slow_validation(rng, n):
    """Return a gap that widens while both still fall."""
    train, _ = _descent(rng, n)
    t = np.arange(n) / n
    return train, train[0] * (0.45 + 0.55 * np.exp(-t * rng.uniform(0.7, 3)))


def underfit(rng, n):
    """Return curves that hardly fall."""
    start, share = rng.uniform(0.3, 3), rng.uniform(0, 0.1)
    fall = start * (1 - share * np.arange(n) / n)
    return fall, fall * rng.uniform(1, 1.1)


def oscillation(rng, n):
    """Return curves that swing; together, or the validation loss alone."""
    train, val = _descent(rng, n)
    period = rng.uniform(2, max(2.5, min(12, n / 3)))
    wave = np.sin(2 * np.pi * np.arange(n) / period + rng.uniform(0, 6.3))
    size = rng.uniform(0.08, 0.4)
    train = train * (1 + (rng.random() < 0.6) * 0.7 * size * wave)
    return train, val * (1 + size * wave) * 1.05


def divergence(rng, n):
    """Return curves that both blow up, slowly or at once, the validation loss more."""
    train, val = _descent(rng, n)
    start = int(rng.integers(n // 5, n - 3))
    after = np.maximum(0, np.arange(n) - start)
    speed = np.log(rng.uniform(2, 50)) / max(after[-1], 1)
    growth = np.exp(after * speed) - 1
    return train * (1 + growth * rng.uniform(0.4, 1)), val * (1 + growth) * 1.1


def non_finite(rng, n):
    """Return a run that ends in NaN, as it is or after blowing up."""
    make = divergence if rng.random() < 0.5 else healthy
    train, val = make(rng, n)
    start = int(rng.integers(n // 3, n))
    train[start:], val[start:] = np.nan, np.nan
    return train, val


def double_descent(rng, n):
    """Return a validation loss that rises for a while and then falls below its past."""
    train, val = _descent(rng, n)
    val = val + 0.15 * val[-1]
    t = np.arange(n) / n
    bump = np.exp(-0.5 * ((t - rng.uniform(0.3, 0.45)) / rng.uniform(0.05, 0.09)) ** 2)
    drop = 1 / (1 + np.exp(-(t - 0.6) * 25))
    return train, val + val[-1] * (rng.uniform(0.1, 0.5) * bump - 0.15 * drop)


def rate_drop(rng, n):
    """Return curves that fall in stairs."""
    train, val = _descent(rng, n)
    for place in rng.uniform(0.3, 0.8, 2):
        stair = 1 - rng.uniform(0.1, 0.4) * (np.arange(n) >= place * n)
        train, val = train * stair, val * (0.3 + 0.7 * stair)
    return train, val * 1.05


def restarts(rng, n):
    """Return curves that jump up at warm restarts and recover."""
    train, val = _descent(rng, n)
    period = max(5, n // int(rng.integers(2, 6)))
    phase = (np.arange(n) % period) / period
    bump = rng.uniform(0.05, 0.4) * np.exp(-6 * phase) * (np.arange(n) >= period)
    return train * (1 + bump), val * (1 + bump) * 1.05


def overfit(rng, n):
    """Return a validation loss that turns up while the training loss still falls."""
    train, val = _descent(rng, n)
    onset = int(rng.integers(max(2, n // 8), max(4, int(0.7 * n))))
    after = np.maximum(0, np.arange(n) - onset) / (n - 1 - onset)
    shape = rng.integers(3)
    if shape == 1:
        rate = rng.uniform(1, 4)
        after = (1 - np.exp(-rate * after)) / (1 - np.exp(-rate))
    elif shape == 2:
        after = after ** rng.uniform(1.0, 1.6)
    size = np.exp(rng.uniform(np.log(0.03), np.log(0.6)))
    val = np.where(np.arange(n) > onset, np.minimum(val, val[onset]), val) * 1.02
    val = np.where(np.arange(n) > onset, val[onset], val)
    below = 1 - rng.uniform(0.1, 0.9) * np.maximum(0, np.arange(n) - onset) / n
    return train * below, val * (1 + size * after)


HEALTHY = (
    healthy,
    healthy,
    dropout_gap,
    slow_validation,
    underfit,
    rate_drop,
)
TROUBLED = (oscillation, divergence, non_finite, double_descent, restarts)


def make_curve(rng, kind=None):
    """Return a random run of 10 to 300 epochs; every other one overfits."""
    if kind is None:
        groups = (overfit,), HEALTHY, TROUBLED
        group = groups[rng.choice(3, p=[0.45, 0.35, 0.2])]
        kind = group[rng.integers(len(group))]
    least = 10 if kind in HEALTHY or kind is overfit else 24
    n = int(np.exp(rng.uniform(np.log(least), np.log(300))))
    train, val = kind(rng, n)
    scale = np.exp(rng.uniform(np.log(0.02), np.log(20)))
    level = np.exp(rng.uniform(np.log(0.001), np.log(0.04)))
    loss = scale * _noisy(rng, train, level * rng.uniform(0.1, 1))
    val_loss = scale * _noisy(rng, val, level)
    if rng.random() < 0.15 and kind is not non_finite:
        bad = int(rng.integers(1, n))  # one bad epoch, the last one as well
        val_loss[bad] *= rng.uniform(1.3, 4)
    if kind is not overfit:
        return Curve(kind.__name__, loss, val_loss, overfits=False)
    onset = int(np.argmin(val))
    rise = float(val[-1] / val[onset] - 1)
    truth = scale * val
    return Curve(kind.__name__, loss, val_loss, True, onset, rise, truth, level * truth)


def make_usual_curve(rng):
    """Return a run of 30 to 100 epochs with Gaussian noise, in equal shares.

    Healthy (a fixed gap, or validation below training), overfitting by 3 to 60 % while
    the early descent is still going on, hardly learning, or blowing up.
    """
    n = int(rng.integers(30, 101))
    t = np.arange(n)
    base, start = rng.uniform(0.2, 1), rng.uniform(0.5, 2)
    fall = start * np.exp(-t / rng.uniform(3, n / 4))
    val, loss = base + fall, base * rng.uniform(0.3, 1.1) + fall
    kind = ("healthy", "overfit", "underfit", "divergence")[rng.integers(4)]
    if kind == "overfit":
        begin = int(rng.integers(n // 5, int(0.7 * n)))
        after = np.maximum(0, t - begin) / (n - 1 - begin)
        val = val + base * np.exp(rng.uniform(np.log(0.03), np.log(0.6))) * after
        loss = loss * np.exp(-0.5 * after)
        if val[-1] < 1.03 * val.min():
            return make_usual_curve(rng)
    elif kind == "underfit":
        val, loss = (c[0] * (1 - 0.05 * t / n) for c in (val, loss))
    elif kind == "divergence":
        begin = int(rng.integers(n // 5, n - 4))
        growth = np.exp(np.maximum(0, t - begin) * rng.uniform(0.05, 0.5)) - 1
        val, loss = val + base * growth, loss + base * growth
    noise = base * np.exp(rng.uniform(np.log(0.003), np.log(0.03)))
    noisy = [c + noise * rng.standard_normal(n) * k for c, k in ((loss, 0.5), (val, 1))]
    if kind != "overfit":
        return Curve(kind, *noisy, overfits=False)
    onset = int(np.argmin(val))
    rise = float(val[-1] / val[onset] - 1)
    return Curve(kind, *noisy, True, onset, rise, val, np.full(n, noise))


def _descent(rng, n):
    """Return a falling training loss and a validation loss close to it."""
    t = np.arange(n)
    floor = rng.uniform(0.1, 0.6)
    rate = rng.uniform(2, 15) / n
    if rng.random() < 0.5:
        shape = np.exp(-rate * t)
    else:
        shape = (1 + rate * t * 2) ** -rng.uniform(0.7, 2)
    train = floor * rng.uniform(0.1, 0.9) + (1 - floor) * shape
    return train, floor + (1 - floor) * shape


def _noisy(rng, values, level):
    """Lay noise over a curve: Gaussian or heavy-tailed, sometimes correlated."""
    noise = (
        rng.standard_normal(len(values))
        if rng.random() < 0.7
        else rng.standard_t(4, len(values)) / np.sqrt(2)
    )
    if rng.random() < 0.25:
        memory = rng.uniform(0.2, 0.6)
        for i in range(1, len(noise)):
            noise[i] = memory * noise[i - 1] + np.sqrt(1 - memory**2) * noise[i]
    return values * np.exp(level * noise)
