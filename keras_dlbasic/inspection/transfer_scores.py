"""Whether what simple predictors find in training rows holds for validation rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from keras_dlbasic.analysis.evenly import evenly
from keras_dlbasic.analysis.scoring import TaskKind, skill

ROWS, OTHER_ROWS = 600, 400
"""Numbers of training and validation rows that are used, evenly chosen."""

LEAST_ROWS = 60
FEATURES, COLUMNS, LABELS = 1024, 512, 64
NEIGHBOURS = 5
FOLDS = 4
DRAWS = 40

ALIKE = 0.05
"""Rows nearer to each other than this share of the usual distance are copies."""

USABLE = 0.3
"""A predictor that is worse than this on training rows it has not seen tells little."""

RESTORED = 0.7
"""So much of the difference has to be made up by what may have been done to rows."""


def transfer_scores(
    x: np.ndarray,
    y: np.ndarray,
    val_x: np.ndarray,
    val_y: np.ndarray,
    task: TaskKind,
    *,
    is_ids: bool = False,
) -> dict[str, Any]:
    """Compare simple predictors on training rows not seen with validation rows.

    They are nearest neighbors and a linear predictor, fitted on a sample of the
    training rows. On training rows they are judged by folds, once drawn at random and
    once of rows that follow each other, and the worse counts: else windows of one
    recording would be judged by their neighbors. Copies within training are left out
    for the same reason. Of the two predictors the one counts that loses less.

    Args:
        x: Training inputs, samples first.
        y: Training targets.
        val_x: Validation inputs.
        val_y: Validation targets.
        task: What is predicted.
        is_ids: Whether inputs are numbers of rows in an embedding: then rows are
            compared by which of them occur. Defaults to `False`.

    Returns:
        Fields of `ValidationFacts`: `reference_skill`, `transfer_skill`,
        `transfer_error` and, where they differ, `restored_by`. Empty where there are
        too few rows, or a row has more than one answer.
    """
    answers = _answers(np.asarray(y), np.asarray(val_y), task)
    fits = x.shape[1:] == val_x.shape[1:] and x.dtype.kind in "iubf"
    if answers is None or not fits or val_x.dtype.kind not in "iubf":
        return {}
    own, other = evenly(len(x), ROWS), evenly(len(val_x), OTHER_ROWS)
    view = _View.of(x[own], is_ids)
    rows, others = view.features(x[own]), view.features(val_x[other])
    targets, val_targets, task = answers
    known, asked = targets[own], val_targets[other]
    parts = (rows, others, known, asked)
    if not all(np.isfinite(part).all() for part in parts):
        return {}
    kept = _without_copies(rows)
    if len(kept) < LEAST_ROWS or len(asked) < LEAST_ROWS // 2:
        return {}
    rows, known = rows[kept], known[kept]
    found = _compared(rows, known, others, asked, task)
    if found is None:
        return {}
    told: dict[str, Any] = {
        "reference_skill": found.reference,
        "transfer_skill": found.skill,
        "transfer_error": found.error,
    }
    if found.reference >= USABLE and found.skill < found.reference / 2:
        changes = _changes(view, val_x, val_targets, other, is_ids, (rows, known), task)
        told["restored_by"] = _restored(rows, known, changes, found, task)
    return told


@dataclass(frozen=True)
class _View:
    """Which entries of rows are looked at, the same ones in all arrays."""

    columns: np.ndarray
    is_ids: bool

    @classmethod
    def of(cls, x: np.ndarray, is_ids: bool) -> _View:
        return cls(evenly(int(np.prod(x.shape[1:])), FEATURES), is_ids)

    def features(self, x: np.ndarray) -> np.ndarray:
        flat = np.asarray(x).reshape(len(x), -1)
        if not self.is_ids:
            return flat[:, self.columns].astype(np.float64)
        # numbers of words mean nothing by their size: how often each is there does
        words = flat.astype(np.int64) % FEATURES
        counts = np.zeros((len(flat), FEATURES))
        np.add.at(counts, (np.arange(len(flat))[:, None], words), 1.0)
        return np.minimum(counts, 1.0)


@dataclass(frozen=True)
class _Found:
    reference: float
    skill: float
    error: float


def _answers(
    y: np.ndarray, val_y: np.ndarray, task: TaskKind
) -> tuple[np.ndarray, np.ndarray, TaskKind] | None:
    """Return targets of both as columns, and what they are."""
    if y.dtype.kind not in "iubf" or val_y.dtype.kind not in "iubf":
        return None
    if y.shape[1:] != val_y.shape[1:] or not y.size or not val_y.size:
        return None
    own, other = (part.reshape(len(part), -1).astype(float) for part in (y, val_y))
    width = own.shape[1]
    if task is TaskKind.CLASSES and width == 1:
        classes = np.unique(own)
        if not 2 <= len(classes) <= LABELS:
            return None
        # a class that training lacks is a column more, that nothing predicts
        new = np.setdiff1d(other, classes)[:LABELS]
        named = np.concatenate([classes, new])
        return own == named, other == named, task
    if task is TaskKind.CLASSES and (y.ndim > 2 or width > LABELS):
        return None
    if task is TaskKind.LABELS:
        middle = (own.min() + own.max()) / 2
        return (own > middle, other > middle, task) if width <= LABELS else None
    columns = evenly(width, COLUMNS)
    return (own[:, columns], other[:, columns], task) if task.is_known else None


def _without_copies(rows: np.ndarray) -> np.ndarray:
    """Return the numbers of rows that are no copies, or nearly, of one before."""
    spread = rows.std(axis=0)
    scaled = rows / np.where(spread > 0, spread, 1)
    squares = (scaled**2).sum(axis=1)
    distances = squares[:, None] + squares - 2 * scaled @ scaled.T
    near = ALIKE**2 * np.median(distances)
    is_kept = np.ones(len(rows), bool)
    for row in range(1, len(rows)):
        is_kept[row] = not (is_kept[:row] & (distances[row, :row] <= near)).any()
    return np.flatnonzero(is_kept)


def _predictions(
    rows: np.ndarray, targets: np.ndarray, asked: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return what nearest neighbors and a linear predictor say."""
    mean, spread = rows.mean(axis=0), rows.std(axis=0)
    used = spread > 0
    scale = spread[used] * np.sqrt(max(1, int(used.sum())))
    known, new = ((part - mean)[:, used] / scale for part in (rows, asked))
    products = new @ known.T
    distances = (known**2).sum(axis=1) - 2 * products
    nearest = np.argpartition(distances, NEIGHBOURS, axis=1)[:, :NEIGHBOURS]
    # Ridge regression in its dual form: there is one equation per row, however many
    # features there are.
    gram = known @ known.T + 1.0 + np.eye(len(known))  # plus one: an intercept
    weights = np.linalg.solve(gram, targets.astype(np.float64))
    return targets[nearest].mean(axis=1), (products + 1.0) @ weights


def _compared(
    rows: np.ndarray,
    known: np.ndarray,
    others: np.ndarray,
    asked: np.ndarray,
    task: TaskKind,
) -> _Found | None:
    rng = np.random.default_rng(0)
    in_order = np.arange(len(rows)) * FOLDS // len(rows)
    folded = [_by_folds(rows, known, f) for f in (rng.permutation(in_order), in_order)]
    pairs = []
    for predictor, given in enumerate(_predictions(rows, known, others)):
        told = min(
            (_score(known, fold[predictor], task) for fold in folded),
            key=lambda score: score[0],
        )
        pairs.append((told, _score(asked, given, task)))
    if not all(np.isfinite(score[0]) for pair in pairs for score in pair):
        return None
    usable = [pair for pair in pairs if pair[0][0] >= USABLE]
    if usable:
        reference, transfer = max(usable, key=lambda pair: pair[1][0] / pair[0][0])
    else:
        reference, transfer = max(pairs, key=lambda pair: pair[0][0])
    return _Found(reference[0], transfer[0], float(np.hypot(reference[1], transfer[1])))


def _by_folds(
    rows: np.ndarray, known: np.ndarray, fold: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    near, linear = np.zeros(known.shape), np.zeros(known.shape)
    for number in range(FOLDS):
        out = fold == number
        near[out], linear[out] = _predictions(rows[~out], known[~out], rows[out])
    return near, linear


def _score(
    targets: np.ndarray, predictions: np.ndarray, task: TaskKind
) -> tuple[float, float]:
    """Return the skill with its standard error over draws of the rows."""
    value = skill(targets, predictions, task).value
    if not np.isfinite(value):
        return value, np.nan
    rng = np.random.default_rng(0)
    draws = rng.integers(0, len(targets), (DRAWS, len(targets)))
    values = [skill(targets[draw], predictions[draw], task).value for draw in draws]
    return value, float(np.nanstd(values))


def _changes(
    view: _View,
    val_x: np.ndarray,
    val_y: np.ndarray,
    at: np.ndarray,
    is_ids: bool,
    own: tuple[np.ndarray, np.ndarray],
    task: TaskKind,
) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """Give what may have been done to validation rows, undone: a name, rows, answers.

    Args:
        view: Which entries are looked at.
        val_x: All validation inputs.
        val_y: Their answers as columns.
        at: The rows that are looked at.
        is_ids: Whether inputs are numbers of rows in an embedding.
        own: Training rows and their answers.
        task: What is predicted.
    """
    rows, known = own
    others, asked = view.features(val_x[at]), val_y[at]
    for by in (1, -1):
        yield "one row on", others, np.roll(val_y, by, axis=0)[at]
    if task is TaskKind.CLASSES:
        yield from _renumbered(rows, known, others, asked)
    if is_ids:
        return
    spread = others.std(axis=0)
    scaled = (others - others.mean(axis=0)) / np.where(spread > 0, spread, 1)
    yield "scaling", scaled * rows.std(axis=0) + rows.mean(axis=0), asked
    yield "inversion", others.min() + others.max() - others, asked
    for kind, changed in _turned(val_x[at]):
        yield kind, view.features(changed), asked


def _turned(x: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    if x.ndim < 3:
        return
    if x.shape[1] == x.shape[2]:
        yield "transposition", np.swapaxes(x, 1, 2)
    yield "turning over", x[:, ::-1]
    yield "mirroring", x[:, :, ::-1]


def _renumbered(
    rows: np.ndarray, known: np.ndarray, others: np.ndarray, asked: np.ndarray
) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """Take the class that each predicted one mostly is; judge by the other half."""
    first, second = slice(0, None, 2), slice(1, None, 2)
    for said in _predictions(rows, known, others):
        meant = said.argmax(axis=1)
        counts = np.zeros((asked.shape[1], asked.shape[1]))
        np.add.at(counts, (meant[first], asked[first].argmax(axis=1)), 1)
        names = counts.argmax(axis=1)
        used = np.unique(meant[first])
        if len(np.unique(names[used])) == len(used):  # each has another name
            order = np.full(asked.shape[1], -1)
            order[names[used]] = used
            renamed = np.where(order >= 0, asked[:, names], False)
            yield "class numbers", others[second], renamed[second]


def _restored(
    rows: np.ndarray,
    known: np.ndarray,
    changes: Iterator[tuple[str, np.ndarray, np.ndarray]],
    found: _Found,
    task: TaskKind,
) -> str | None:
    # A change explains the difference if undoing it makes up most of the lost skill. Of
    # several such changes, the one that restores most is named.
    best, least = None, found.skill + RESTORED * (found.reference - found.skill)
    for kind, others, asked in changes:
        for said in _predictions(rows, known, others):
            value = skill(asked, said, task).value
            if value >= least:
                best, least = kind, value
    return best
