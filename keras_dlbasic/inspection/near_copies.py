"""Validation rows that are next to the same as a training row."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from keras_dlbasic.analysis.evenly import evenly

ROWS, KNOWN_ROWS = 200, 10_000
"""Numbers of validation and training rows that are compared, evenly chosen."""

FEATURES = 256
PLACE = 20
"""The distance to this neighbor tells how far away other rows usually are."""

NEARER = (0.2, 0.35)
"""A copy is nearer than a share of where chance puts the nearest row: this at least,
and at most, see `_nearer`."""

CHANCE = 1e-3
"""Probability that a row drawn at random is as near as a copy."""

LEAST_DIMENSIONS = 2.0
"""On a line, rows are at times as near to each other by chance."""


def near_copies(x: np.ndarray, y: Any, val_x: np.ndarray, val_y: Any) -> float:
    """Return the share of validation rows that are nearly copies of training rows.

    Where rows are drawn at random, the nearest of `n` is at about `(20 / n) ** (1 / d)`
    of the distance of the twentieth, in data of `d` dimensions; `d` follows from the
    distances of the twentieth and the fortieth. Copies with a little noise are much
    nearer, and have the same answer.

    Args:
        x: Training inputs, samples first.
        y: Training targets or None.
        val_x: Validation inputs.
        val_y: Validation targets or None.

    Returns:
        The share; NaN where there are fewer than 100 training rows, or rows have
        fewer than two dimensions.
    """
    own, other = evenly(len(x), KNOWN_ROWS), evenly(len(val_x), ROWS)
    if len(own) < 5 * PLACE or not len(other):
        return math.nan
    columns = evenly(int(np.prod(x.shape[1:])), FEATURES)
    known, asked = (
        part[rows].reshape(len(rows), -1)[:, columns].astype(np.float64)
        for part, rows in ((x, own), (val_x, other))
    )
    spread = known.std(axis=0)
    used = spread > 0
    if not used.any() or not all(np.isfinite(part).all() for part in (known, asked)):
        return math.nan
    mean = known[:, used].mean(axis=0)
    known, asked = ((part[:, used] - mean) / spread[used] for part in (known, asked))
    nearest, distances = _neighbours(known, asked)
    first, usual, far = distances[:, 0], distances[:, PLACE - 1], distances[:, -1]
    apart = (usual > 0) & (far > usual)
    if apart.mean() < 0.5:
        return math.nan
    # In `d` dimensions, the distance of the fortieth neighbor is 2 ** (1 / d) times
    # that of the twentieth. Solved for `d`, this also predicts where chance puts the
    # nearest row.
    growth = float(np.median(np.log(far[apart] / usual[apart])))
    dimensions = math.log(2) / growth
    if dimensions < LEAST_DIMENSIONS:
        return math.nan
    by_chance = usual * PLACE ** (-1 / dimensions)
    is_copy = apart & (first < _nearer(dimensions) * by_chance)
    if y is not None and val_y is not None:
        is_copy &= _same(np.asarray(y)[own][nearest], np.asarray(val_y)[other])
    return float(is_copy.mean())


def _nearer(dimensions: float) -> float:
    """Return the share of the usual distance below which a row is a copy.

    Rows within a share `r` of a distance are `r ** d` of all in `d` dimensions: the
    more there are, the less chance brings rows together.
    """
    return float(np.clip(CHANCE ** (1 / dimensions), *NEARER))


def _neighbours(known: np.ndarray, asked: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the nearest row of each, and its distances to the first forty."""
    # The squared norm of the asked row is left out: it does not change which rows are
    # nearest.
    squares = (known**2).sum(axis=1) - 2 * asked @ known.T
    most = 2 * PLACE
    places = np.argpartition(squares, most, axis=1)[:, :most]
    # differences, not products, since distances may be tiny
    distances = np.stack(
        [
            np.linalg.norm(known[near] - row, axis=1)
            for near, row in zip(places, asked, strict=True)
        ]
    )
    order = np.argsort(distances, axis=1)
    places = np.take_along_axis(places, order, axis=1)
    return places[:, 0], np.take_along_axis(distances, order, axis=1)


def _same(targets: np.ndarray, others: np.ndarray) -> np.ndarray:
    if targets.shape != others.shape or targets.dtype.kind not in "iubf":
        return np.ones(len(others), bool)
    own, other = (part.reshape(len(part), -1) for part in (targets, others))
    alike: np.ndarray = np.isclose(own, other, rtol=1e-3, atol=1e-6).all(axis=1)
    return alike
