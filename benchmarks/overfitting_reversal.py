"""How often a rise that is called overfitting goes back: fits the constants anew.

Runs of 16 kinds (six healthy, one of them a double descent, and ten that overfit) are
judged after every second epoch. For each look at which overfitting is found it is known
whether the finished run is called so too. A logistic regression on the logarithms of
the epochs since the onset, of those that are left, and of the statistic over its
threshold (up to 3) gives the constants of `OverfittingVerdict.chance_of_reversal`. Half
of the runs are held out, and show how often rises of each estimated chance went back.

    python benchmarks/overfitting_reversal.py [runs of each kind] [seed]
"""

import sys

import numpy as np
from scipy.optimize import minimize

from keras_dlbasic.analysis import detect_overfitting


def noise(rng, n, memory=0.0, tails=0):
    """Return noise of variance one, with a memory of one epoch."""
    law = rng.standard_t(tails, n) / np.sqrt(3) if tails else rng.standard_normal(n)
    for i in range(1, n):
        law[i] = memory * law[i - 1] + np.sqrt(1 - memory**2) * law[i]
    return law


def healthy(kind):
    """Return a maker of runs that do not overfit in the end."""

    def make(rng):
        n = int(rng.integers(40, 121))
        t, floor = np.arange(n), rng.uniform(0.3, 1.0)
        val = floor + np.exp(-t / rng.uniform(3, n / 5))
        low, high = {"small": (0.02, 0.1), "wandering": (0.005, 0.05)}.get(
            kind, (0.003, 0.02 if kind in ("restarts", "double descent") else 0.05)
        )
        level = np.exp(rng.uniform(np.log(low), np.log(high)))
        error = noise(rng, n)
        up = 1.0
        if kind == "wandering":
            error = noise(rng, n, rng.uniform(0.4, 0.8))
        elif kind == "small":
            error = 0.7 * (noise(rng, n, rng.uniform(0, 0.5), 3) + noise(rng, n, 0, 3))
        elif kind == "slow":
            val = val + 0.3 * (1 + t) ** -0.5
        elif kind == "restarts":
            period = int(rng.integers(6, max(7, n // 3)))
            swing = (1 + np.cos(np.pi * (t % period) / period)) / 2
            up = 1 + rng.uniform(0.05, 0.4) * swing * (t >= period)
        elif kind == "double descent":
            middle, width = rng.uniform(0.3, 0.5) * n, rng.uniform(0.06, 0.12) * n
            hump = rng.uniform(0.1, 0.5) * np.exp(-0.5 * ((t - middle) / width) ** 2)
            val = val * (1 + hump - 0.12 / (1 + np.exp(-(t - 0.65 * n) / (0.05 * n))))
        train = 0.05 + 0.4 * np.exp(-t / (n * rng.uniform(0.3, 1))) + np.exp(-t / 8)
        train = train * up * (1 + 0.3 * level * rng.standard_normal(n))
        return train, val * up * np.exp(level * error)

    return make


def overfit(shape, rise, level, *, memory=0.0, drift=0.0, swings=False):
    """Return a maker of runs that overfit."""
    shapes = {
        "line": lambda u: u,
        "root": np.sqrt,
        "power": lambda u: u**1.6,
        "jump": lambda u: 1 - np.exp(-6 * u),
        "log": lambda u: np.log1p(9 * u) / np.log(10),
    }

    def make(rng):
        n = int(rng.integers(40, 121))
        t, floor = np.arange(n), rng.uniform(0.3, 1.0)
        onset = int(rng.uniform(0.2, 0.6) * n)
        u = np.maximum(0, t - onset) / (n - 1 - onset)
        size, error = (np.exp(rng.uniform(*np.log(r))) for r in (rise, level))
        before = np.exp(-np.minimum(t, onset) / rng.uniform(2, onset / 4 + 1))
        up = 1.0
        if swings:
            period = int(rng.integers(6, max(7, n // 4)))
            swing = (1 + np.cos(np.pi * (t % period) / period)) / 2
            up = 1 + rng.uniform(0.1, 0.4) * swing
        val = (floor + before) * (1 + size * shapes[shape](u)) * up
        train = (0.1 + before) * (1 + drift * u) if drift else 0.1 + np.exp(-t / 15)
        train = train * up * (1 + 0.3 * error * rng.standard_normal(n))
        return train, val * (1 + error * noise(rng, n, memory))

    return make


USUAL = (0.003, 0.03)
KINDS = (
    *map(
        healthy,
        ("flat", "slow", "wandering", "small", "restarts", "double descent"),
    ),
    *(overfit(s, (0.1, 0.8), USUAL) for s in ("line", "root", "power", "jump", "log")),
    overfit("line", (0.15, 0.8), USUAL, memory=0.6),
    overfit("line", (0.1, 0.25), (0.05, 0.1)),
    overfit("log", (0.1, 0.25), (0.05, 0.1)),
    overfit("line", (0.3, 0.6), (0.003, 0.02), drift=0.05),
    overfit("line", (0.15, 0.6), (0.003, 0.02), swings=True),
)


def looks(make, rng):
    """Return what is known at each look that finds overfitting, and if it went back."""
    train, val = make(rng)
    n = len(val)
    went_back = not detect_overfitting(train, val).detected
    rows = []
    for seen in range(6, n, 2):
        verdict = detect_overfitting(train[:seen], val[:seen])
        if verdict.detected:
            times = verdict.turn.statistic / verdict.turn.threshold
            facts = max(seen - 1 - verdict.onset, 1), n - seen + 1, min(times, 3.0)
            rows.append((1.0, *np.log(facts), went_back))
    return rows


def fit(rows, weights):
    """Return the coefficients of a logistic regression, slightly held back."""
    x, y = rows[:, :-1], rows[:, -1]

    def loss(b):
        odds = x @ b
        return weights @ (np.logaddexp(0, odds) - y * odds) + 0.02 * b[1:] @ b[1:]

    return minimize(loss, np.zeros(x.shape[1])).x


def main(runs=24, seed=3):
    """Print the constants, and how well those of one half hold on the other."""
    halves = ([], [])
    for kind, make in enumerate(KINDS):
        for run in range(int(runs)):
            rows = looks(make, np.random.default_rng([int(seed), kind, run]))
            # each run counts once, however often it was looked at
            halves[run % 2].extend((*row, 1 / len(rows)) for row in rows)
    first, second = (np.array(half, np.float64) for half in halves)
    both = np.concatenate([first, second])
    print("constants", fit(both[:, :-1], both[:, -1]).round(2))
    odds = second[:, :-2] @ fit(first[:, :-1], first[:, -1])
    chance, went_back = 1 / (1 + np.exp(-odds)), second[:, -2]
    for low, high in ((0, 0.02), (0.02, 0.05), (0.05, 0.1), (0.1, 0.3), (0.3, 1)):
        here = (chance >= low) & (chance < high)
        if here.any():
            found = went_back[here].mean()
            print(f"estimated {low} to {high}: {found:.3f} of {here.sum()} went back")


if __name__ == "__main__":
    main(*sys.argv[1:])
