"""Whether inputs fit the targets of other rows."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from keras_dlbasic.analysis.evenly import evenly
from keras_dlbasic.analysis.scoring import TaskKind
from keras_dlbasic.inspection.class_ids import class_ids
from keras_dlbasic.inspection.column_correlations import column_correlations
from keras_dlbasic.inspection.reference_scores import reference_scores
from keras_dlbasic.records.data_facts import OutOfStepFacts

LEAST_ROWS, ASKED = 200, 300
MOST_SORTED, MOST_FEATURES = 100_000, 256
BEFORE = "the row before"
MOST_CLASSES, MOST_COLUMNS = 64, 16

LITTLE = 0.3
"""Skill with their own targets from which rows are not out of step."""

FOUND = 0.4
"""Skill with the targets of other rows that is no chance."""

MORE = 0.3
"""How much higher it is than the skill with a row's own targets."""

FOLLOWING = 0.2
"""Correlation of features with those of the next row, from which rows are a series.

The inputs of a series tell of earlier targets, as they should.
"""

MOST_STRIDE, GO_ON = 8, 0.5
"""Rows are windows of a series if this share of them goes on in the next one, some
steps later."""

ONE_COLUMN = 0.7
"""Correlation of a column with earlier targets from which it is made of them."""


def out_of_step(x: np.ndarray, y: np.ndarray) -> OutOfStepFacts | None:
    """Return in which order of the targets simple predictors learn from the inputs.

    It is tried with the targets of the next row and of the row before, in reverse, and
    in the order of file names that count up, sorted as text: 1, 10, 11, ..., 2, 20.
    The skill is that on rows that a predictor has not seen. Of wide inputs 256 entries
    of a row are used.

    Args:
        x: Inputs of all rows in their order, numbers, samples first.
        y: Targets: class numbers, one-hot rows or values, `[n]` or `[n, columns]`.

    Returns:
        An `OutOfStepFacts`; None if no other order is far better than their own, rows
        are a series, or there are too few.

    Example:
    >>> import numpy as np
    >>> from keras_dlbasic.inspection.out_of_step import out_of_step
    >>> x = np.random.default_rng(0).normal(size=(300, 4))
    >>> out_of_step(x, np.roll(x @ [1, -1, 2, 0.5], 1)).order
    'the next row'
    """
    n = len(x) if x.ndim > 1 else 0
    if n < LEAST_ROWS or x.dtype.kind not in "iuf" or not x[0].size:
        return None
    columns, task = _columns(y, n)
    rows = evenly(n - 1, ASKED)  # each has a next one
    if columns is None or _goes_on(x, rows):
        return None
    flat = x.reshape(n, -1)
    places = evenly(flat.shape[1], MOST_FEATURES)
    features, later = (flat[part][:, places].astype(float) for part in (rows, rows + 1))
    if not np.isfinite(features).all() or not np.isfinite(later).all():
        return None
    if not np.abs(column_correlations(features, later)).mean() < FOLLOWING:
        return None
    own = _skill(features, columns[rows], task)
    if own > LITTLE:
        return None
    best = None
    for name, order in _orders(n):
        targets = columns[order[rows]]
        if name == BEFORE and (x.ndim == 3 or _is_made_of(features, targets)):
            continue
        skill = _skill(features, targets, task)
        if skill >= max(FOUND, own + MORE) and (best is None or skill > best.restored):
            best = OutOfStepFacts(order=name, found=own, restored=skill)
    return best


def _columns(y: np.ndarray, n: int) -> tuple[np.ndarray | None, TaskKind]:
    """Return targets as columns of numbers, and what they are."""
    classes = class_ids(y)
    if classes is not None and len(classes) == n:
        known, places = np.unique(classes, return_inverse=True)
        if 2 <= len(known) <= MOST_CLASSES:
            return np.eye(len(known))[places.reshape(-1)], TaskKind.CLASSES
    if y.ndim not in (1, 2) or len(y) != n or y.dtype.kind not in "iuf":
        return None, TaskKind.UNKNOWN
    values = y.reshape(n, -1)[:, :MOST_COLUMNS].astype(np.float64)
    if not values.shape[1] or not np.isfinite(values).all():
        return None, TaskKind.UNKNOWN
    return values, TaskKind.VALUES


def _goes_on(x: np.ndarray, rows: np.ndarray) -> bool:
    """Return whether rows are windows that begin some steps later each."""
    now, later = x[rows], x[rows + 1]
    for stride in range(1, min(MOST_STRIDE, x.shape[1] - 1) + 1):
        same = now[:, stride:] == later[:, :-stride]
        varies = now[:, stride:] != now[:, :-stride]  # else any two rows are alike
        alike = same.reshape(len(rows), -1).all(axis=1)
        if (alike & varies.reshape(len(rows), -1).any(axis=1)).mean() >= GO_ON:
            return True
    return False


def _is_made_of(features: np.ndarray, targets: np.ndarray) -> bool:
    """Return whether a column of the inputs follows a column of earlier targets."""
    return any(
        np.abs(column_correlations(features, column[:, None])).max() >= ONE_COLUMN
        for column in targets.T
    )


def _skill(features: np.ndarray, columns: np.ndarray, task: TaskKind) -> float:
    scores = reference_scores(features, columns, task).values()
    return max((score for score in scores if np.isfinite(score)), default=0.0)


def _orders(n: int) -> Iterator[tuple[str, np.ndarray]]:
    places = np.arange(n)
    yield "the next row", np.roll(places, -1)
    yield BEFORE, np.roll(places, 1)
    yield "the last row first", places[::-1]
    for first in (0, 1) if n <= MOST_SORTED else ():
        as_text = np.array(sorted(range(n), key=lambda place: str(place + first)))
        yield "file names sorted as text", as_text
        yield "file names sorted as text", np.argsort(as_text)
