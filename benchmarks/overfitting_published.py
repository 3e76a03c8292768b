"""Made curves in the shapes that papers show, each healthy and overfitting.

Every family follows a figure: its height, its schedule and how long it takes are drawn
around what the figure shows; the numbers are not those of the papers, which do not
publish them. Each function returns curves without noise, the learning rate of each
epoch, and the epoch from which the run overfits, or None.

- `robust_overfitting`: Rice, Wong & Kolter (2020), figure 1. Adversarial training: the
  robust test loss turns up after the first drop of the rate.
- `step_schedule`: He et al. (2016), figure 4. Both losses fall in stairs.
- `cosine`: Loshchilov & Hutter (2017), one cycle. The fall goes on to the end.
- `restarts`: Loshchilov & Hutter (2017), figure 2. The error jumps up at each restart.
- `distillation`: Cho & Hariharan (2019), figure 3. The distillation loss hurts late.
- `label_noise`: Arpit et al. (2017), figure 7. Clean rows first, wrong labels by heart.
- `fine_tuning`: Dodge et al. (2020), figure 3. Few epochs, overfitting within three.
"""

from __future__ import annotations

import numpy as np
from overfitting_curves import Curve


def robust_overfitting(rng, overfits):
    """Return a rise that begins where the rate drops first."""
    n = int(rng.integers(80, 200))
    drops = (int(n * rng.uniform(0.4, 0.55)), int(n * rng.uniform(0.7, 0.8)))
    rate = _steps(n, drops)
    val, train = (_stairs(rng, n, drops, depth) for depth in (0.1, 0.35))
    if not overfits:
        return train + 0.3, val, rate, None
    return train + 0.3, _rising(val, drops[0], rng.uniform(0.1, 0.5)), rate, drops[0]


def step_schedule(rng, overfits):
    """Return curves that fall in stairs; overfitting begins after the last."""
    n = int(rng.integers(60, 200))
    drops = (n // 2, 3 * n // 4)
    val, train = (_stairs(rng, n, drops, depth) for depth in (0.25, 0.5))
    onset = drops[1] + max(2, n // 40)
    if not overfits:
        return train, val, _steps(n, drops), None
    rise = rng.uniform(0.1, 0.4)
    return train, _rising(val, onset, rise), _steps(n, drops), onset


def cosine(rng, overfits):
    """Return a fall along one cosine; the overfitting one turns in the last half."""
    n = int(rng.integers(40, 150))
    t = np.arange(n) / n
    rate = (1 + np.cos(np.pi * t)) / 2
    val = 0.5 + 0.6 * np.exp(-6 * t) + 0.25 * rate
    train = 0.05 + 0.9 * np.exp(-5 * t) + 0.3 * rate
    onset = int(n * rng.uniform(0.5, 0.7))
    if not overfits:
        return train, val, rate, None
    return train, _rising(val, onset, rng.uniform(0.1, 0.5)), rate, onset


def restarts(rng, overfits):
    """Return swings with the rate; overfitting shows from trough to trough."""
    length, n_cycles = int(rng.integers(6, 21)), int(rng.integers(4, 7))
    doubling = rng.random() < 0.5
    factor = 2 if doubling else 1
    lengths = [length * factor**k for k in range(4 if doubling else n_cycles)]
    rate = np.concatenate([(1 + np.cos(np.pi * np.arange(m) / m)) / 2 for m in lengths])
    n = len(rate)
    t = np.arange(n)
    swing = 1 + rng.uniform(0.1, 0.4) * rate
    val = 0.5 + 0.7 * np.exp(-t / (n / 10))
    train = 0.05 + np.exp(-t / (n / 5))
    onset = n // 3
    if not overfits:
        return train * swing, val * swing, rate, None
    val = _rising(val, onset, rng.uniform(0.15, 0.6))
    return train * swing, val * swing, rate, onset


def distillation(rng, overfits):
    """Return a training loss with a floor, that of the teacher."""
    n = int(rng.integers(50, 150))
    t = np.arange(n) / n
    val = 0.6 + 0.5 * np.exp(-8 * t)
    train = 0.5 + 0.6 * np.exp(-7 * t)
    onset = int(n * rng.uniform(0.4, 0.7))
    if not overfits:
        return train, val, np.ones(n), None
    return train, _rising(val, onset, rng.uniform(0.05, 0.2)), np.ones(n), onset


def label_noise(rng, overfits):
    """Return a training loss that falls twice: clean rows first, wrong ones later."""
    n = int(rng.integers(40, 120))
    t = np.arange(n)
    onset = int(n * rng.uniform(0.15, 0.35))
    val = 0.5 + np.exp(-t / (onset / 3))
    train = 0.6 + 0.9 * np.exp(-t / (onset / 3))
    if not overfits:  # the labels are clean: the gap is small and stays
        return train - 0.4, val, np.ones(n), None
    late = 1 / (1 + np.exp(-(t - 2 * onset) / (n / 8)))
    return (
        train - 0.5 * late,
        _rising(val, onset, rng.uniform(0.3, 1)),
        np.ones(n),
        onset,
    )


def fine_tuning(rng, overfits):
    """Return few evaluations, of a run that starts low."""
    n = int(rng.integers(10, 25))
    t = np.arange(n)
    val = 0.4 + 0.2 * np.exp(-t / 1.5)
    train = 0.05 + 0.5 * np.exp(-t / (n / 4))
    onset = int(rng.integers(2, 5))
    rate = np.linspace(1, 0.05, n)
    if not overfits:
        return train + 0.2, val, rate, None
    return train, _rising(val, onset, rng.uniform(0.2, 1.0)), rate, onset


FAMILIES = (
    robust_overfitting,
    step_schedule,
    cosine,
    restarts,
    distillation,
    label_noise,
    fine_tuning,
)


def make_published_curve(rng, family, overfits):
    """Return a run of a family with noise of 0.3 to 3 % of the level."""
    train, val, rate, onset = family(rng, overfits)
    level = np.exp(rng.uniform(np.log(0.003), np.log(0.03)))
    noisy = [
        values * (1 + k * level * rng.standard_normal(len(values)))
        for values, k in ((train, 0.3), (val, 1.0))
    ]
    rise = 0.0 if onset is None else float(val[-1] / val[onset] - 1)
    return Curve(
        family.__name__,
        *noisy,
        onset is not None,
        onset,
        rise,
        None if onset is None else val,
        None if onset is None else level * val,
        rate,
    )


def _steps(n, drops):
    rate = np.ones(n)
    for drop in drops:
        rate[drop:] *= 0.1
    return rate


def _stairs(rng, n, drops, depth):
    t = np.arange(n)
    values = 0.6 + 0.6 * np.exp(-t / (n / 12))
    for drop in drops:
        # the loss falls within two epochs of the drop
        values = values * (1 - depth * (1 - np.exp(-np.maximum(0, t - drop + 1) / 1.0)))
    return values


def _rising(values, onset, rise):
    """Let a curve rise from an epoch on, from its level there."""
    after = np.maximum(0, np.arange(len(values)) - onset) / (len(values) - 1 - onset)
    held = np.where(np.arange(len(values)) > onset, values[onset], values)
    return held * (1 + rise * after)
