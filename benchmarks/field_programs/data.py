"""Data for the programs: scikit-learn's own sets, and made ones with structure."""

from __future__ import annotations

import numpy as np
from sklearn import datasets


def split(x, y, share=0.7, seed=0):
    """Return training and held-out rows in random order: x, y, new x, new y."""
    order = np.random.default_rng(seed).permutation(len(x))
    n = int(share * len(x))
    return x[order[:n]], y[order[:n]], x[order[n:]], y[order[n:]]


def standard(x, new):
    """Scale columns by the mean and deviation of the first."""
    mean, std = x.mean(axis=0), x.std(axis=0) + 1e-9
    return tuple(((a - mean) / std).astype("float32") for a in (x, new))


def digits(n=640):
    """Return `n` 8 x 8 pictures from 0 to 1 and their digit, and 400 held out."""
    d = datasets.load_digits()
    x, y, new, new_y = split((d.images / 16).astype("float32")[..., None], d.target)
    return x[:n], y[:n], new[:400], new_y[:400]


def table(name, scaled=True):
    """Return a table of scikit-learn, split, its columns scaled or raw."""
    d = getattr(datasets, f"load_{name}")()
    x, y, new, new_y = split(d.data.astype("float32"), d.target)
    return (*standard(x, new), y, new_y) if scaled else (x, new, y, new_y)


def friedman(n=550, seed=3, noise=0.6):
    """Return values of a smooth function of five of eight columns, scaled."""
    x, y = datasets.make_friedman1(n, 8, noise=noise, random_state=seed)
    x = ((x - 0.5) / 0.29).astype("float32")
    return split(x, ((y - y.mean()) / y.std()).astype("float32")[:, None])


def two_classes(n=550, columns=12, share=0.5, seed=5, apart=1.3):
    """Return rows of two classes, of which `share` belong to the second."""
    x, y = datasets.make_classification(
        n,
        columns,
        n_informative=6,
        weights=[1 - share],
        class_sep=apart,
        flip_y=0.02,
        random_state=seed,
    )
    return split(x.astype("float32"), y)


def shapes(n=360, size=16, seed=1):
    """Return noisy pictures of a disc or a cross, which of them, and its mask."""
    rng = np.random.default_rng(seed)
    kind = rng.integers(0, 2, n)
    row, column = np.mgrid[:size, :size]
    masks = np.zeros((n, size, size, 1), "float32")
    for i, k in enumerate(kind):
        r, c = rng.integers(4, size - 4, 2)
        away = abs(row - r), abs(column - c)
        radius = rng.uniform(2.2, 3.8)
        cross = (np.minimum(*away) < 1) & (np.maximum(*away) < radius + 1)
        inside = np.hypot(*away) < radius if k else cross
        masks[i, ..., 0] = inside
    bright = rng.uniform(0.4, 0.7, (n, 1, 1, 1))
    x = np.clip(0.15 + bright * masks + 0.08 * rng.normal(size=masks.shape), 0, 1)
    return x.astype("float32"), kind, masks


def reviews(n=550, length=20, words=60, seed=2, long=False):
    """Return ids of words, padded with zeros at the end, and whether they praise.

    Words 1 to 9 praise, 10 to 18 blame, the others say nothing.
    """
    rng = np.random.default_rng(seed)
    x = np.zeros((n, length), "int32")
    balance = np.zeros(n)
    for i in range(n):
        used = int(rng.integers(length // 2 if long else 5, length + 1 if long else 10))
        taste = rng.random()
        choice = rng.random(used)
        loud = choice < 0.5
        good = rng.random(used) < taste
        ids = rng.integers(19, words, used)
        ids[loud & good] = rng.integers(1, 10, (loud & good).sum())
        ids[loud & ~good] = rng.integers(10, 19, (loud & ~good).sum())
        x[i, :used] = ids
        balance[i] = (loud & good).sum() - (loud & ~good).sum() + 0.01 * rng.normal()
    return x, (balance > 0).astype("int32"), balance


def gestures(n=320, length=24, classes=4, seed=4, noise=0.35):
    """Return recordings of three sensors and the class of the movement."""
    rng = np.random.default_rng(seed)
    kind = rng.integers(0, classes, n)
    t = np.arange(length)
    pace = 0.25 + 0.22 * kind[:, None]
    phase = rng.uniform(0, 6.28, (n, 1))
    x = np.stack(
        [np.sin(pace * t + phase), np.cos(pace * t + phase), np.sin(2 * pace * t)], -1
    )
    return (x + noise * rng.normal(size=x.shape)).astype("float32"), kind


def load_curve(n=460, seed=6):
    """Return the demand for power by the hour: days, weeks and weather."""
    rng = np.random.default_rng(seed)
    t = np.arange(n)
    weather = np.zeros(n)
    for i in range(1, n):
        weather[i] = 0.9 * weather[i - 1] + 0.2 * rng.normal()
    return np.sin(t / 24 * 6.283) + 0.5 * np.sin(t / 168 * 6.283) + 0.5 * weather


def windows(series, length=24):
    """Return pieces of a series, (n, length, 1), and the value after each."""
    x = np.stack([series[i : i + length] for i in range(len(series) - length)])
    return x[..., None].astype("float32"), series[length:, None].astype("float32")


def visits(n=550, columns=6, seed=7):
    """Return numbers of events and what they depend on."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, columns)).astype("float32")
    rate = np.exp(0.5 + 0.6 * x[:, 0] - 0.5 * x[:, 1] + 0.3 * x[:, 2] * x[:, 3])
    return split(x, rng.poisson(np.minimum(rate, 30)).astype("float32")[:, None])


def groups(y, classes):
    """Return one-hot rows."""
    return np.eye(classes, dtype="float32")[y]
