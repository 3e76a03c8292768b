"""Which of several target columns a model has learned."""

from __future__ import annotations

import math

import numpy as np

from keras_dlbasic.analysis.scoring import TaskKind, skill
from keras_dlbasic.inspection.reconstruction import ALIKE, likeness
from keras_dlbasic.inspection.reference_scores import reference_scores
from keras_dlbasic.records.probe_facts import ColumnFacts

MOST_COLUMNS = 32
MOST_MISSED = 8
"""Number of columns of low skill for which simple predictors are fitted, at most."""

SMALLER = 10.0
"""Minimum ratio of the standard deviations of two columns whose scales differ."""

LOW = 0.5


def column_facts(
    x: np.ndarray, y: np.ndarray, predictions: np.ndarray, looked: np.ndarray
) -> tuple[ColumnFacts, ...] | None:
    """Score each column of predicted values, if their scales differ much.

    Simple predictors are fitted to columns of a small scale and low skill only.

    Args:
        x: Inputs of the rows of the probe, samples first.
        y: Their targets, `[n, columns]`.
        predictions: What the model gives for some of them, `[k, columns]`.
        looked: Places of these rows.

    Returns:
        The facts of each column; None if scales are alike, no small column is badly
        predicted, or inputs are to be given back.

    Example:
    >>> import numpy as np
    >>> from keras_dlbasic.inspection.column_facts import column_facts
    >>> x = np.random.default_rng(0).normal(size=(99, 2))
    >>> y = x * [100, 1]
    >>> found = column_facts(x, y, y * [1, 0], np.arange(99))
    >>> [round(column.skill, 1) + 0 for column in found], round(found[1].reference, 1)
    ([1.0, 0.0], 1.0)
    """
    if y.ndim != 2 or predictions.ndim != 2 or y.shape[1] != predictions.shape[1]:
        return None
    if not 2 <= y.shape[1] <= MOST_COLUMNS or y.dtype.kind not in "iuf":
        return None
    y = y.astype(np.float64)
    if not (np.isfinite(y).all() and np.isfinite(predictions).all()):
        return None
    spreads = y.std(axis=0)
    skills = [
        skill(y[looked, column], predictions[:, column], TaskKind.VALUES).value
        for column in range(y.shape[1])
    ]
    missed = [
        column
        for column, (spread, value) in enumerate(zip(spreads, skills, strict=True))
        if 0 < SMALLER * spread <= spreads.max() and value < LOW
    ][:MOST_MISSED]
    if not missed or likeness(x, y) > ALIKE:
        return None
    references = {column: _reference(x, y[:, [column]]) for column in missed}
    return tuple(
        ColumnFacts(
            std=float(spread),
            skill=value,
            reference=references.get(column, math.nan),
        )
        for column, (spread, value) in enumerate(zip(spreads, skills, strict=True))
    )


def _reference(x: np.ndarray, column: np.ndarray) -> float:
    scores = reference_scores(x, column, TaskKind.VALUES).values()
    return max((score for score in scores if math.isfinite(score)), default=math.nan)
