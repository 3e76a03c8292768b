"""Targets that a callback was given, against those that a fit trains on."""

from __future__ import annotations

import math
from typing import Any

import keras
import numpy as np

from keras_dlbasic.analysis.evenly import evenly
from keras_dlbasic.inspection.held_out import row_keys

MIN_ROWS, MIN_SHARE = 3, 0.05
"""At least this many rows, and this share of those compared, must differ in targets."""

MAX_ROWS = 100_000
"""Of more given rows, this number is compared, evenly chosen."""


def other_targets(x: Any, y: Any, seen_x: Any, seen_y: Any) -> str | None:
    """Return how given targets differ from those of the same rows in training.

    Rows are found again by their inputs. Those that there are several of are left out:
    which of them was trained, nothing tells.

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
    >>> other_targets(x, y, x, y + 1)[:55]
    'of 8 rows that were found again 8 have other targets; t'
    """
    pairs = _pairs(y, seen_y)
    given, trained = _first(x), _first(seen_x)
    if not pairs or given is None or trained is None:
        return None
    if given.shape[1:] != trained.shape[1:]:
        return None
    ours, theirs = _same_rows(given, trained)
    if len(ours) < MIN_ROWS:
        return None
    texts = (_difference(told[ours], actual[theirs]) for told, actual in pairs)
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


def _first(data: Any) -> np.ndarray | None:
    """Return the first array of a structure, if it holds numbers."""
    leaves = [leaf for leaf in keras.tree.flatten(data) if leaf is not None]
    if not leaves or not len(leaves[0]):
        return None
    return leaves[0] if np.asarray(leaves[0][:1]).dtype.kind in "iubf" else None


def _flat(rows: np.ndarray) -> np.ndarray:
    """Return rows as `fit` takes their numbers, `[n, entries]`."""
    return np.asarray(rows, np.float32).reshape(len(rows), math.prod(rows.shape[1:]))


def _same_rows(given: np.ndarray, trained: np.ndarray) -> tuple[Any, Any]:
    """Return the numbers of rows that are in both, once in the first."""
    among = np.arange(len(given))
    if len(given) > MAX_ROWS:
        among = evenly(len(given), MAX_ROWS)
        given = given[among]
    keys, first, counts = np.unique(
        row_keys(np.asarray(given)), return_index=True, return_counts=True
    )
    asked = row_keys(trained)
    place = np.minimum(np.searchsorted(keys, asked), len(keys) - 1)
    theirs = np.flatnonzero((keys[place] == asked) & (counts[place] == 1))
    ours = first[place[theirs]]
    # The keys are of some entries only, so rows with the same key are compared in full.
    is_same = (_flat(given[ours]) == _flat(trained[theirs])).all(axis=1)
    return among[ours[is_same]], theirs[is_same]


def _difference(told: np.ndarray, actual: np.ndarray) -> str | None:
    told, actual = _flat(told), _flat(actual)
    n = len(told)
    start = f"of {n} rows that were found again"
    if told.shape != actual.shape:
        a, b = (f"{n} value{'s' * (n != 1)}" for n in (told.shape[1], actual.shape[1]))
        return f"{start} all have other targets: given {a}, trained on {b} for each"
    wrong = np.flatnonzero(~np.isclose(told, actual, equal_nan=True).all(axis=1))
    if len(wrong) < max(MIN_ROWS, MIN_SHARE * n):
        return None
    a, b = (_said(rows[wrong[0]]) for rows in (told, actual))
    return (
        f"{start} {len(wrong)} have other targets; the first: given {a}, trained on {b}"
    )


def _said(row: np.ndarray) -> str:
    shown = [f"{value:.4g}" for value in row[:3]]
    return ", ".join([*shown, "..."] if len(row) > 3 else shown)
