"""Targets that a callback was given, against those that a fit trains on."""

from __future__ import annotations

import math
from typing import Any

import keras
import numpy as np

from keras_dlbasic.inspection.held_out import row_keys

MIN_ROWS, MIN_SHARE = 5, 0.05
"""At least this many rows, and this share of those compared, must differ in targets."""

MAX_ROWS, MAX_BYTES = 2**21, 2**32
"""Of more given rows, or rows that take more memory, nothing is said: all would have to
be read to know which there is only one of."""

AT_ONCE = 128
"""Number of rows that are compared at once, which the processor's cache should hold."""

MIX = np.uint64(0x9E3779B97F4A7C15)
"""An odd number, so that the same row has another key as another input."""


def other_targets(x: Any, y: Any, seen_x: Any, seen_y: Any) -> str | None:
    """Return how given targets differ from those of the same rows in training.

    Rows are found again by all their inputs. Those that there are several of are left
    out: which of them was trained, nothing tells. And where rows repeat, those given
    may be some of several; so as many as are found by this may differ.

    Args:
        x: Inputs as they were given, samples first: arrays.
        y: Targets that were given, or None.
        seen_x: Inputs that passed in training.
        seen_y: Their targets.

    Returns:
        How many of how many rows differ, with the first as an example; None if they are
        the same, or nothing can be compared.

    Example:
    >>> import numpy as np
    >>> from keras_dlbasic.inspection.other_targets import other_targets
    >>> x, y = np.arange(8.0)[:, None], np.arange(8)
    >>> for part in other_targets(x, y, x, y + 1).split("; "):
    ...     print(part)
    8 of 8 compared rows have different targets
    for the first, 0 was given, but `fit` used 1
    """
    pairs = _pairs(y, seen_y)
    given, trained = _inputs(x), _inputs(seen_x)
    if not pairs or not given or not _may_be_same(given, trained):
        return None
    ours, theirs, by_chance = _same_rows(given, trained)
    if len(ours) < MIN_ROWS:
        return None
    texts = (
        _difference(told[ours], actual[theirs], by_chance) for told, actual in pairs
    )
    return next((text for text in texts if text is not None), None)


def _pairs(y: Any, seen: Any) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return the arrays of targets that belong together."""
    try:
        keras.tree.assert_same_structure(y, seen)
    except (ValueError, TypeError):
        return []
    leaves = zip(keras.tree.flatten(y), keras.tree.flatten(seen), strict=True)
    pairs = [(_first(told), _first(actual)) for told, actual in leaves]
    return [(a, b) for a, b in pairs if a is not None and b is not None]


def _inputs(data: Any) -> list[np.ndarray]:
    """Return the arrays of a structure, if all hold rows of numbers."""
    leaves = [leaf for leaf in keras.tree.flatten(data) if leaf is not None]
    return leaves if all(map(_are_numbers, leaves)) else []


def _first(data: Any) -> np.ndarray | None:
    """Return the first array of a structure, if it holds numbers."""
    leaves = [leaf for leaf in keras.tree.flatten(data) if leaf is not None]
    return leaves[0] if leaves and _are_numbers(leaves[0]) else None


def _are_numbers(rows: Any) -> bool:
    if not np.ndim(rows) or not len(rows):
        return False
    return np.asarray(rows[:1]).dtype.kind in "iubf"


def _may_be_same(given: list[np.ndarray], trained: list[np.ndarray]) -> bool:
    if [a.shape[1:] for a in given] != [a.shape[1:] for a in trained]:
        return False
    return len(given[0]) <= MAX_ROWS and sum(a.nbytes for a in given) <= MAX_BYTES


def _flat(rows: np.ndarray) -> np.ndarray:
    """Return rows as `fit` takes their numbers, `[n, entries]`."""
    return np.asarray(rows, np.float32).reshape(len(rows), math.prod(rows.shape[1:]))


def _same_rows(
    given: list[np.ndarray], trained: list[np.ndarray]
) -> tuple[Any, Any, float]:
    """Return the numbers of rows that are in both, once in each.

    And how many such pairs are to be expected of different rows with the same inputs.
    """
    keys, first, n_given = _counted(given)
    asked, last, n_trained = _counted(trained)
    place = np.minimum(np.searchsorted(keys, asked), len(keys) - 1)
    found = (keys[place] == asked) & (n_given[place] == 1) & (n_trained == 1)
    ours, theirs = first[place[found]], last[found]
    # The keys are of some entries only, so rows with the same key are compared in full.
    is_same = np.ones(len(ours), bool)
    for a, b in zip(given, trained, strict=True):
        for begin in range(0, len(ours), AT_ONCE):
            part = slice(begin, begin + AT_ONCE)
            is_same[part] &= (_flat(a[ours[part]]) == _flat(b[theirs[part]])).all(1)
    # Rows that were drawn from the same repeat as often in each set as between the two:
    # of n and m rows there are n * n / 2 and m * m / 2 pairs in each, n * m between.
    n, m = len(given[0]), len(trained[0])
    repeats = (n_given > 1).sum() + (n_trained > 1).sum()
    by_chance = float(repeats) * 2 * n * m / (n * n + m * m)
    order = np.argsort(theirs[is_same])  # as they passed
    return ours[is_same][order], theirs[is_same][order], by_chance


def _counted(arrays: list[np.ndarray]) -> tuple[Any, Any, Any]:
    """Return the keys of rows, where each is first and how often it is there."""
    keys = np.zeros(len(arrays[0]), np.uint64)
    for array in arrays:
        keys = keys * MIX + row_keys(np.asarray(array))
    return np.unique(keys, return_index=True, return_counts=True)


def _difference(told: np.ndarray, actual: np.ndarray, by_chance: float) -> str | None:
    told, actual = _flat(told), _flat(actual)
    n = len(told)
    differ = f"of {n} compared rows have different targets"
    verb = "was" if told.shape[1] == 1 else "were"
    if told.shape != actual.shape:
        a, b = (f"{n} value{'s' * (n != 1)}" for n in (told.shape[1], actual.shape[1]))
        return f"{n} {differ}; {a} for each row {verb} given, but `fit` used {b}"
    wrong = _differ(told, actual)
    # Of two classes half the rows agree by luck if shuffled. So the share must be most
    # of that of rows that do not belong together, not most of all.
    strangers = _differ(told, actual[np.random.default_rng(0).permutation(n)])
    least = max(MIN_ROWS, MIN_SHARE * n, len(strangers) / 2)
    if len(wrong) < least or len(wrong) <= 2 * by_chance:
        return None
    a, b = (_said(rows[wrong[0]]) for rows in (told, actual))
    return f"{len(wrong)} {differ}; for the first, {a} {verb} given, but `fit` used {b}"


def _differ(told: np.ndarray, actual: np.ndarray) -> np.ndarray:
    return np.flatnonzero(~np.isclose(told, actual, equal_nan=True).all(axis=1))


def _said(row: np.ndarray) -> str:
    shown = [f"{value:.4g}" for value in row[:3]]
    return ", ".join([*shown, "..."] if len(row) > 3 else shown)
