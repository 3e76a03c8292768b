"""What targets look like, in numbers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from keras_dlbasic.analysis.evenly import evenly
from keras_dlbasic.records import TargetFacts
from keras_dlbasic.records.json_facts import UNKNOWN

MOST_CLASSES = 1000

MIN_ROWS, MIN_COLUMNS, MOST = 32, 3, 0.98
"""Of rows with one number each; a few of these numbers may be zero, too."""

LEAST_ROWS = 64
MOST_ENTRIES = 2**23
"""Of targets with more entries some rows are looked at, evenly chosen."""

FAR = 30.0
"""Robust standard deviations from the median beyond which a value is far away."""


def target_facts(
    y: np.ndarray, name: str = "y", *, has_columns: bool = True
) -> TargetFacts:
    """Describe the numbers in targets.

    All of them are looked at up to 8 million entries, of more some rows, evenly chosen.
    Whether whole numbers are classes is not for them to say, but for the loss and the
    output (`analysis.TaskKind`).

    Args:
        y: Samples first.
        name: What to call them.
        has_columns: Whether the last axis of targets with several axes holds the
            columns of one answer. `False`: each entry is an answer by itself, as the
            class of each pixel or word. Defaults to `True`.

    Returns:
        A `TargetFacts`; of targets that are no numbers the shape and dtype only.

    Example:
    >>> import numpy as np
    >>> from keras_dlbasic.inspection.target_facts import target_facts
    >>> facts = target_facts(np.eye(3)[[0, 1, 1, 2]])
    >>> facts.kind, facts.frequencies
    ('one_hot', (0.25, 0.5, 0.25))
    """
    y = np.asarray(y)
    facts = TargetFacts(name, tuple(map(int, y.shape)), str(y.dtype), len(y))
    if y.dtype.kind not in "iubf" or y.size == 0:
        return facts
    # masks of images have billions of entries, and classes of words as many columns
    rows = evenly(len(y), max(LEAST_ROWS, MOST_ENTRIES // max(1, y[0].size)))
    columns = np.asarray(y if len(rows) == len(y) else y[rows], np.float64)
    facts = replace(facts, share_axes=_share_axes(columns))
    is_column = y.ndim < 2 or not has_columns
    columns = columns.reshape(-1, 1 if is_column else y.shape[-1])
    is_finite = np.isfinite(columns)
    facts = replace(facts, non_finite=int(columns.size - is_finite.sum()))
    columns = columns[is_finite.all(axis=1)]
    return _described(facts, columns) if len(columns) else facts


def _described(facts: TargetFacts, columns: np.ndarray) -> TargetFacts:
    kind, frequencies = _kind(columns)
    is_whole = bool((columns == np.round(columns)).all())
    distinct = _distinct(columns) if is_whole else ()
    spread = columns.std(axis=0)
    is_column = kind == "continuous" and columns.shape[1] == 1
    far_share, far_part = _far(columns[:, 0]) if is_column else (0.0, 0.0)
    return replace(
        facts,
        kind=kind,
        frequencies=frequencies,
        is_whole=is_whole,
        distinct=tuple(map(int, distinct))
        if is_whole and len(distinct) <= MOST_CLASSES
        else None,
        max_per_row=int(columns.sum(axis=1).max()) if kind == "multi_label" else None,
        mean=float(columns.mean()),
        std=float(np.sqrt(np.mean(spread**2))),
        rms=float(np.sqrt(np.mean(columns**2))),
        min=float(columns.min()),
        max=float(columns.max()),
        n_columns=int(columns.shape[1]),
        constant_columns=int(np.sum(spread <= 1e-7 * np.abs(columns).max(axis=0))),
        is_constant=bool((columns == columns[0]).all() and len(columns) > 1),
        commonest=_commonest(columns),
        far_share=far_share,
        far_part=far_part,
        one_entry=kind == "continuous" and _has_one_entry(columns),
        row_sum_error=float(np.abs(columns.sum(axis=1) - 1).mean())
        if columns.shape[1] > 1
        else UNKNOWN,
    )


def _far(values: np.ndarray) -> tuple[float, float]:
    """Return the share of values far from the others, and theirs of the variance.

    Of values of which half are the same, as zeros around objects, nothing is known.
    """
    low, middle, high = np.quantile(values, (0.25, 0.5, 0.75))
    robust = (high - low) / 1.35  # the standard deviation, if they were normal
    is_far = np.abs(values - middle) > FAR * robust
    if not robust > 0 or not is_far.any():
        return 0.0, 0.0
    squares = (values - values.mean()) ** 2
    return float(is_far.mean()), float(squares[is_far].sum() / squares.sum())


def _has_one_entry(columns: np.ndarray) -> bool:
    """Return whether rows have one number each, which are in all of the columns."""
    filled = columns != 0
    if columns.shape[1] < MIN_COLUMNS or len(columns) < MIN_ROWS:
        return False
    in_each = filled.mean(axis=0)
    is_one = filled.sum(axis=1) == 1
    return bool(is_one.mean() > MOST and in_each.min() > 0.1 * in_each.max())


def _share_axes(y: np.ndarray) -> tuple[int, ...] | None:
    """Return the axes along which entries are shares: classes may lie on any of them.

    With two axes only the last can be meant, and what its sums are is known besides.
    """
    if y.ndim < 3 or not y.size:
        return None
    if not y.min() >= 0:
        return ()
    axes = [axis for axis in range(1, y.ndim) if y.shape[axis] > 1]
    shares = [axis for axis in axes if np.abs(y.sum(axis=axis) - 1).max() < 1e-3]
    return tuple(axis - y.ndim for axis in shares)


def _distinct(columns: np.ndarray) -> np.ndarray:
    """Return the numbers that occur, or more than are named."""
    few = np.unique(columns.reshape(-1)[evenly(columns.size, 20000)])
    return few if len(few) > MOST_CLASSES else np.unique(columns)


def _kind(columns: np.ndarray) -> tuple[str, tuple[float, ...] | None]:
    is_zero_one = np.isin(columns, (0.0, 1.0)).all()
    if columns.shape[1] == 1:
        if is_zero_one:
            share = float(columns.mean())
            return "binary", (1 - share, share)
        # Whole numbers may be class numbers or counts. The targets alone do not show
        # which.
        whole = columns == np.round(columns)
        if whole.all() and columns.min() >= 0 and columns.max() < MOST_CLASSES:
            counts = np.bincount(columns.ravel().astype(int))
            return "whole_numbers", tuple((counts / counts.sum()).tolist())
        return "continuous", None
    sums_to_one = np.abs(columns.sum(axis=1) - 1) < 1e-3
    if is_zero_one:
        kind = "one_hot" if sums_to_one.all() else "multi_label"
        return kind, _means(columns)
    if sums_to_one.all() and columns.min() >= 0:
        return "probabilities", _means(columns)
    return "continuous", None


def _means(columns: np.ndarray) -> tuple[float, ...]:
    return tuple(columns.mean(axis=0)[:MOST_CLASSES].tolist())


def _commonest(columns: np.ndarray) -> float:
    # evenly chosen: the first entries of targets with axes are those of a few samples
    chosen = columns[evenly(len(columns), 20000)]
    axis = 0 if chosen.shape[1] > 1 else None  # whole rows take several times as long
    _, counts = np.unique(chosen, axis=axis, return_counts=True)
    return float(counts.max() / counts.sum())
