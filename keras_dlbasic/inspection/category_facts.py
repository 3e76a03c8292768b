"""Columns that hold codes of categories, as numbers."""

from __future__ import annotations

import math

import numpy as np

from keras_dlbasic.analysis.scoring import TaskKind
from keras_dlbasic.inspection.reference_scores import reference_scores
from keras_dlbasic.records.probe_facts import CategoryFacts

LEAST_ROWS, MOST_COLUMNS = 100, 64
FEWEST, OFTEN = 5, 4.0
"""A column of categories has this many values at least, each in this many rows on
average."""

MORE = 0.25
"""Skill that categories add to what columns tell as numbers."""


def category_facts(
    x: np.ndarray, targets: np.ndarray, task: TaskKind | str
) -> CategoryFacts | None:
    """Return what columns of few values tell as categories, and what as numbers.

    Codes of categories have no order: a category with a larger code has no more of
    anything. Simple predictors are given the columns as they are, and with a column of
    0 and 1 for each value, and scored on rows that they have not seen.

    Args:
        x: Inputs of some rows, `[n, columns]`.
        targets: Targets, `[n, k]`; one-hot for classes.
        task: What is predicted.

    Returns:
        None where no column has few values, or they tell little more as categories.

    Example:
    >>> import numpy as np
    >>> from keras_dlbasic.inspection.category_facts import category_facts
    >>> codes = np.random.default_rng(0).integers(0, 20, (300, 2))
    >>> value = np.random.default_rng(1).normal(size=20)[codes].sum(axis=1)
    >>> category_facts(codes, value[:, None], "values").columns
    (0, 1)
    """
    if x.ndim != 2 or x.dtype.kind not in "iuf" or len(x) < LEAST_ROWS:
        return None
    if not 1 <= x.shape[1] <= MOST_COLUMNS or not np.isfinite(x).all():
        return None
    values = [np.unique(column, return_inverse=True) for column in x.T]
    most = len(x) / OFTEN
    places = [
        at for at, (known, _) in enumerate(values) if FEWEST <= len(known) <= most
    ]
    if not places:
        return None
    dummies = [np.eye(len(values[at][0]))[values[at][1].reshape(-1)] for at in places]
    rest = np.delete(x, places, axis=1).astype(np.float64)
    categories = np.hstack([rest, *dummies])
    as_numbers = reference_scores(x, targets, task)
    as_categories = reference_scores(categories, targets, task)
    numbers = max((s for s in as_numbers.values() if math.isfinite(s)), default=0.0)
    linear = as_categories.get("linear", math.nan)
    if not linear >= max(numbers, 0.0) + MORE:
        return None
    return CategoryFacts(tuple(places), numbers, linear)
