"""More held-out curves, of shapes and noise that the first ones do not have.

Written on 2026-11-27 before the detector was changed, and looked at once after it. Six
healthy kinds, none of them a double descent, and eight that overfit, of 25 to 150
epochs. The scores are those of `overfitting_held_out.py`.

    python benchmarks/overfitting_held_out_2.py [runs of each kind] [seed]
"""

import sys

import numpy as np
from overfitting_held_out import ar
from overfitting_held_out import main as score


def logarithmic(rng, n):
    """A fall as the logarithm of time, to a floor that some runs reach."""
    t = np.arange(n)
    fall = np.log1p(t * rng.uniform(0.1, 1)) / np.log1p(n)
    val = np.maximum(1.2 - fall, rng.uniform(0.3, 0.6))
    level = 10 ** rng.uniform(-2.5, -1.5)
    return 0.8 * (1.3 - fall), val * (1 + level * rng.standard_normal(n))


def moving_average(rng, n):
    """A stretched exponential with noise that two to four epochs share."""
    t = np.arange(n)
    width = int(rng.integers(2, 5))
    own = rng.standard_normal(n + width - 1)
    shared = np.convolve(own, np.ones(width) / np.sqrt(width), "valid")
    fall = np.exp(-np.sqrt(t / rng.uniform(1, 6)))
    level = 10 ** rng.uniform(-2.3, -1.4)
    return 0.1 + np.exp(-t / (n / 4)), (0.5 + fall) * np.exp(level * shared)


def growing_noise(rng, n):
    """A plateau whose noise grows fourfold, as predictions get more confident."""
    t = np.arange(n)
    level = 10 ** rng.uniform(-2.4, -1.7) * (1 + 3 * t / n)
    val = 0.7 + np.exp(-t / rng.uniform(2, n / 8))
    return 0.05 + np.exp(-t / (n / 3)), val * (1 + level * rng.standard_normal(n))


def rate_drops(rng, n):
    """Stairs down; on each stair noise that halves as the rate drops."""
    t = np.arange(n)
    drops = np.sort(rng.uniform(0.25, 0.85, 2)) * n
    stairs = 1 - 0.15 * (t[:, None] >= drops).sum(axis=1)
    quiet = 0.5 ** (t[:, None] >= drops).sum(axis=1)
    val = (0.5 + 0.7 * np.exp(-t / (n / 15))) * stairs
    level = 10 ** rng.uniform(-2.2, -1.4) * quiet
    return 0.7 * val, val * (1 + level * rng.standard_normal(n))


def decaying_spikes(rng, n):
    """Bad epochs, one in twenty, of which a third is left in the next and so on."""
    t = np.arange(n)
    log_spikes = np.zeros(n)
    for place in np.flatnonzero(rng.random(n) < 1 / 20):
        since = np.arange(n - place)
        log_spikes[place:] += rng.exponential(0.3) * 3.0**-since
    val = (0.4 + np.exp(-t / (n / 6))) * np.exp(log_spikes)
    return 0.3 + np.exp(-t / (n / 5)), val * (1 + 0.01 * rng.standard_normal(n))


def small_swing(rng, n):
    """A swing of 1 to 4 % with a period of 4 to 15 epochs on a plateau."""
    t = np.arange(n)
    wave = np.sin(2 * np.pi * t / rng.uniform(4, 15) + rng.uniform(0, 6.3))
    val = (0.6 + np.exp(-t / (n / 10))) * (1 + rng.uniform(0.01, 0.04) * wave)
    level = 10 ** rng.uniform(-2.5, -1.7)
    return 0.1 + np.exp(-t / (n / 4)), val * (1 + level * rng.standard_normal(n))


HEALTHY = (
    logarithmic,
    moving_average,
    growing_noise,
    rate_drops,
    decaying_spikes,
    small_swing,
)


def _overfit(name, shape, rise=(0.1, 0.8), level=(-2.5, -1.6), **more):
    def make(rng, n):
        t = np.arange(n)
        onset = int(rng.uniform(0.2, 0.65) * n)
        u = np.clip((t - onset) / (n - 1 - onset), 0, None)
        size, scale = np.exp(rng.uniform(*np.log(rise))), 10 ** rng.uniform(*level)
        noise = ar(rng, n, rng.uniform(*more.get("memory", (0.0, 0.0)))) * scale
        noise *= 1 + more.get("growth", 0.0) * t / n
        fall = (1 + 3 * np.minimum(t, onset) / onset) ** -1.5
        clean = (0.4 + fall - fall[onset]) * (1 + size * shape(u))
        if more.get("hump"):
            middle, width = 0.4 * onset, max(0.12 * onset, 1.0)
            clean = clean * (1 + 0.4 * np.exp(-0.5 * ((t - middle) / width) ** 2))
        if more.get("spikes"):
            clean = clean * np.exp(0.4 * rng.random(n) * (rng.random(n) < 1 / 25))
        train = 0.05 + (1 + 10 * t / n) ** -1.2
        onset = int(np.argmin(clean[: onset + 1])) if more.get("hump") else onset
        return train, clean * (1 + noise), onset

    make.__name__ = name
    return make


OVERFIT = (
    _overfit("logarithm", lambda u: np.log1p(20 * u) / np.log(21)),
    _overfit("sigmoid", lambda u: (1 / (1 + np.exp(6 - 12 * u)) - 0.0025) * (u > 0)),
    _overfit("straight", lambda u: u),
    _overfit("up and flat", lambda u: np.minimum(3 * u, 1)),
    _overfit("growing noise", lambda u: u, growth=2.0, rise=(0.2, 0.8)),
    _overfit("memory", lambda u: u**0.7, memory=(0.3, 0.6), rise=(0.2, 0.8)),
    _overfit("with spikes", np.sqrt, spikes=True, rise=(0.15, 0.8)),
    _overfit("after a hump", lambda u: u, hump=True, rise=(0.2, 0.8)),
)


if __name__ == "__main__":
    score(
        *(sys.argv[1:3] or (30, 2026)),
        kinds=(HEALTHY, OVERFIT),
        name="overfitting_held_out_2",
    )
