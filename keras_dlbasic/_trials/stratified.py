"""Rows in an order of which every beginning has the classes in their shares."""

from __future__ import annotations

from typing import Any

import numpy as np

from keras_dlbasic._trials.batch_sizes import count_rows, flatten

MOST_CLASSES = 0.5
"""With more values than this share of the rows, targets are numbers."""


def stratified_order(y: Any, seed: int) -> np.ndarray:
    """Return a permutation of the rows whose beginnings are stratified.

    Class numbers and one-hot rows count as classes, as long as they repeat; else the
    order is plainly random.
    """
    rng = np.random.default_rng(seed)
    rows = count_rows(y)
    labels = _labels(flatten(y)[0], rows)
    if labels is None:
        return rng.permutation(rows)
    # the i-th of the n rows of a class comes after a share (i + u) / n of the order
    places = np.empty(rows)
    for label in np.unique(labels):
        of_class = rng.permutation(np.flatnonzero(labels == label))
        at = np.arange(len(of_class)) + rng.uniform(0.25, 0.75)
        places[of_class] = at / len(of_class)
    return np.argsort(places, kind="stable")


def split(y: Any, share: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows of a stratified split: the rest, and a share."""
    order = stratified_order(y, seed)
    n = min(max(1, round(share * len(order))), len(order) - 1)
    return np.sort(order[n:]), np.sort(order[:n])


def _labels(y: Any, rows: int) -> np.ndarray | None:
    array = np.asarray(y).reshape(rows, -1)
    if array.dtype.kind not in "biuf" or not (array == np.round(array)).all():
        return None
    _, labels = np.unique(array, axis=0, return_inverse=True)
    labels = labels.reshape(-1)
    return labels if labels.max() + 1 <= MOST_CLASSES * rows else None
