"""Held-out curves: shapes by which nothing of the detector was chosen.

The constants of `detect_overfitting` were chosen on the kinds of
`overfitting_reversal.py`, `overfitting_null.py` and `overfitting_curves.py`. These
kinds are of other shapes: six healthy ones and eight that overfit, of 25 to 150 epochs.
They are to be looked at once after a change, not to be tuned on.

    python benchmarks/overfitting_held_out.py [runs of each kind] [seed]

Prints by kind the share that is flagged at the end and at any epoch on the way, what is
stopped by the rule of `OverfittingDetector(stop=True)` and how often that was wrong,
the error of the onset and the delay; then how often rises of each estimated chance
went back (`OverfittingVerdict.chance_of_reversal`). Writes JSON to benchmarks/results/.
"""

import json
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np

from keras_dlbasic.analysis import detect_overfitting

FEWEST = 5
MAX_REVERSAL = 0.05
LIMITS = (0, 0.02, 0.05, 0.1, 0.3, 1.01)


def ar(rng, n, memory):
    """Return stationary noise of variance one with a memory of one epoch."""
    noise = rng.standard_normal(n)
    for i in range(1, n):
        noise[i] = memory * noise[i - 1] + np.sqrt(1 - memory**2) * noise[i]
    return noise


def power_law(rng, n):
    """A fall as a power of time, independent noise."""
    t = 1 + np.arange(n)
    fall = t ** -rng.uniform(0.3, 0.9)
    level = 10 ** rng.uniform(-2.5, -1.5)
    val = (0.4 + fall) * (1 + level * rng.standard_normal(n))
    return 0.7 * (0.2 + fall), val


def wandering(rng, n):
    """A plateau with noise that has a memory of 0.3 to 0.7."""
    t = np.arange(n)
    level = 10 ** rng.uniform(-2.3, -1.4)
    fall = np.exp(-t / rng.uniform(2, n / 6))
    val = (0.6 + fall) * np.exp(level * ar(rng, n, rng.uniform(0.3, 0.7)))
    return 0.1 + 0.9 * np.exp(-t / (n / 3)), val


def few_rows(rng, n):
    """Means over 30 to 300 validation rows, each of which is a walk of its own."""
    rows = int(np.exp(rng.uniform(np.log(30), np.log(300))))
    t = np.arange(n)[:, None]
    base = rng.gamma(0.6, 0.5, rows)
    own = np.exp(0.25 * rng.standard_t(4, (n, rows)))
    val = (base * own).mean(axis=1) + 0.8 * np.exp(-t[:, 0] / (n / 10))
    return 0.05 + np.exp(-np.arange(n) / (n / 4)), val


def warm_up_and_decay(rng, n):
    """A hump while the rate warms up, then a cosine to zero."""
    t = np.arange(n) / n
    warm = 0.15 * np.exp(-0.5 * ((t - 0.08) / 0.03) ** 2)
    val = 0.5 + 0.5 * np.exp(-10 * t) + warm + 0.2 * (1 + np.cos(np.pi * t)) / 2
    level = 10 ** rng.uniform(-2.5, -1.6)
    return 0.8 * val, val * (1 + level * rng.standard_normal(n))


def spikes(rng, n):
    """Single bad epochs, one in twelve, that are gone in the next or in two."""
    t = np.arange(n)
    val = 0.5 + np.exp(-t / (n / 8)) + 0.006 * rng.standard_normal(n)
    for place in np.flatnonzero(rng.random(n) < 1 / 12):
        val[place : place + 2] *= (
            1 + rng.uniform(0.05, 0.6) * np.array([1, 0.4])[: n - place]
        )
    return 0.9 * (0.4 + np.exp(-t / (n / 8))), val


def late_second_descent(rng, n):
    """A hump of 5 to 30 % that is over by two thirds of the run."""
    t = np.arange(n) / n
    middle = rng.uniform(0.3, 0.45)
    hump = rng.uniform(0.05, 0.3) * np.exp(-(np.abs((t - middle) / 0.09) ** 3))
    val = (0.5 + np.exp(-15 * t)) * (1 + hump) - 0.08 / (1 + np.exp(-(t - 0.65) * 20))
    return np.exp(-4 * t) + 0.05, val * (1 + 0.008 * rng.standard_normal(n))


HEALTHY = (
    power_law,
    wandering,
    few_rows,
    warm_up_and_decay,
    spikes,
    late_second_descent,
)


def _overfit(name, shape, rise=(0.08, 0.8), level=(-2.5, -1.7), **more):
    def make(rng, n):
        t = np.arange(n)
        onset = int(rng.uniform(0.15, 0.6) * n)
        u = np.clip((t - onset) / (n - 1 - onset), 0, None)
        size = np.exp(rng.uniform(*np.log(rise)))
        noise = ar(rng, n, more.get("memory", 0.0)) * 10 ** rng.uniform(*level)
        if more.get("heavy"):
            noise = rng.standard_t(3, n) / np.sqrt(3) * 10 ** rng.uniform(*level)
        before = np.exp(-np.minimum(t, onset) / max(onset / 4, 1.0))
        clean = (0.5 + before) * (1 + size * shape(u))
        up = 1.0
        if more.get("period"):
            period = int(rng.integers(5, max(6, n // 5)))
            up = 1 + 0.25 * (1 - (t % period) / period)
        train = (0.05 + np.exp(-t / (n / 5))) * (1 + more.get("drift", 0.0) * u)
        return train * up, clean * up * (1 + noise), onset

    make.__name__ = name
    return make


OVERFIT = (
    _overfit("quadratic", lambda u: u**2),
    _overfit("step", lambda u: (u > 0) * 0.6 + 0.4 * u),
    _overfit("saturating", np.tanh),
    _overfit("two slopes", lambda u: np.where(u < 0.5, 0.3 * u, 1.7 * u - 0.7)),
    _overfit("with memory", lambda u: u, rise=(0.15, 0.8), memory=0.5),
    _overfit("heavy tails", lambda u: u, rise=(0.15, 0.8), heavy=True),
    _overfit("loud", lambda u: u, rise=(0.12, 0.3), level=(-1.5, -1.1)),
    _overfit("cycles", lambda u: u, rise=(0.2, 0.8), period=True),
)


def look(make, rng):
    """Judge one run after every epoch."""
    n = int(rng.integers(25, 151))
    made = make(rng, n)
    train, val, onset = made if len(made) == 3 else (*made, None)
    end = detect_overfitting(train, val)
    first = stopped = None
    rows = []
    for seen in range(FEWEST, n):
        verdict = detect_overfitting(train[:seen], val[:seen])
        if not verdict.detected:
            continue
        first = seen if first is None else first
        chance = verdict.chance_of_reversal(n - seen)
        rows.append((chance, not end.detected))
        if stopped is None and chance < MAX_REVERSAL:
            stopped = seen
    if first is None and end.detected:
        first = n
    return {
        "end": end.detected,
        "live": first is not None,
        "stopped": stopped is not None,
        "wrongly": stopped is not None and not end.detected,
        "error": abs(end.onset - onset) if onset and end.detected else np.nan,
        "delay": np.nan
        if onset is None
        else np.inf
        if not first
        else first - 1 - onset,
        "rows": rows,
    }


def main(runs=60, seed=71, kinds=(HEALTHY, OVERFIT), name="overfitting_held_out"):
    """Print the scores of every kind."""
    healthy, overfit = kinds
    results, chances = {}, []
    for number, make in enumerate((*healthy, *overfit)):
        looks = [
            look(make, np.random.default_rng([int(seed), number, run]))
            for run in range(int(runs))
        ]
        chances += [(*row, 1 / len(x["rows"])) for x in looks for row in x["rows"]]
        score = {k: float(np.mean([x[k] for x in looks])) for k in list(looks[0])[:4]}
        if make in overfit:
            score |= {
                k: float(np.nanmedian([x[k] for x in looks]))
                for k in ("error", "delay")
            }
        results[make.__name__] = score
        print(
            f"{make.__name__:20s}",
            "  ".join(f"{k} {v:.3g}" for k, v in score.items()),
            flush=True,
        )
    chance, back, weight = np.array(chances, np.float64).T
    for low, high in pairwise(LIMITS):
        here = (chance >= low) & (chance < high)
        if here.any():
            share = float(np.average(back[here], weights=weight[here]))
            results[f"chance {low} to {high}"] = share
            print(
                f"chance {low} to {high}: {back[here].mean():.3f} of {here.sum()} "
                f"looks, {share:.3f} if each run counts once"
            )
    folder = Path(__file__).parent / "results"
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.json").write_text(json.dumps(results, indent=1))


if __name__ == "__main__":
    main(*sys.argv[1:])
