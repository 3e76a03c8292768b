"""How wrong each prediction is."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from keras_dlbasic.analysis.prediction_skill import guessed_task
from keras_dlbasic.analysis.scoring import (
    TaskKind,
    check_rows,
    fitting_task,
    sigmoid,
    skill,
    target_columns,
)

LEAST = 1e-7
"""Probabilities below it count as it, as in Keras' losses."""


@dataclass(frozen=True)
class RowScores:
    """Errors and losses of predictions, one a row.

    Attributes:
        kind: `"classes"`, `"labels"` or `"numbers"`.
        errors: 1 where the class is wrong, else 0; the share of wrong labels; or the
            squared error as a share of the targets' variance.
        losses: The negative logarithm of the probability of what is true; for numbers
            the same as `errors`.
        brier: The squared error of the probabilities, from 0 to 1 (half of Brier's
            score for classes); for numbers the same as `errors`. Unlike `errors`, it
            tells a near miss from a bad one.
        skill: The skill of all rows, see `analysis.skill`; NaN where there is none. For
            numbers it is one less the mean of `errors`; for classes it is not, since
            each class counts alike there, and each row in `errors`.
    """

    kind: str
    errors: np.ndarray
    losses: np.ndarray
    brier: np.ndarray
    skill: float = math.nan


def row_scores(
    y: Any,
    predictions: Any,
    *,
    from_logits: bool = False,
    task: TaskKind | str | None = None,
) -> RowScores:
    """Score each prediction, whatever the loss of the model.

    Args:
        y: Targets, samples first: class numbers `[n]` or `[n, 1]` for predictions with
            several columns, one-hot or 0-1 columns like the predictions, or numbers.
        predictions: What the model gives, `[n, ...]`.
        from_logits: Whether predictions for classes or labels are logits. Defaults to
            `False`.
        task: What the predictions are. Defaults to None: a guess, as for
            `prediction_skill`. Where it is unknown, errors rest on that guess, and
            there is no skill.

    Returns:
        A `RowScores`; predictions that are not finite are wrong, with infinite loss.

    Raises:
        ValueError: If targets and predictions do not fit together.

    Example:
    >>> from keras_dlbasic.analysis.row_scores import row_scores
    >>> row_scores([0, 1], [[0.9, 0.1], [0.8, 0.2]]).errors
    array([0., 1.])
    """
    p, t = np.asarray(predictions, np.float64), np.asarray(y)
    check_rows(t, p)
    rows = len(p)
    guess = guessed_task(t, p)
    task = guess if task is None else TaskKind(task)
    found_skill = skill(t, p, task, from_logits=from_logits).value
    kind, t, p = _paired(t, p, task if task.is_known else guess)
    # Rows that are not finite are scored as zeros, so that nothing warns, and their
    # scores are put in afterwards.
    wrong = ~np.asarray(np.isfinite(p).all(axis=1))
    p = np.where(wrong[:, None], 0.0, p)
    score = {"classes": _classes, "labels": _labels, "numbers": _numbers}[kind]
    worst = np.inf if kind == "numbers" else 1.0
    found = [
        np.where(wrong, at_worst, values).reshape(rows, -1).mean(axis=1)
        for values, at_worst in zip(
            score(t, p, from_logits), (worst, np.inf, worst), strict=True
        )
    ]
    errors, losses, brier = found
    return RowScores(kind, errors, losses, brier, found_skill)


def _paired(
    t: np.ndarray, p: np.ndarray, task: TaskKind
) -> tuple[str, np.ndarray, np.ndarray]:
    """Return what is scored, and targets and predictions that fit each other."""
    columns = target_columns(t, p.shape)
    width = p.shape[-1] if p.ndim > 1 else 1
    numbers = columns is not None and columns.shape[1] == 1 < width
    if columns is None or (numbers and (columns != np.round(columns)).any()):
        raise ValueError(
            "Targets and predictions do not fit together. Received: "
            f"{t.shape} and {p.shape}"
        )
    p = p.reshape(-1, width)
    if numbers:
        classes = columns[:, 0].astype(int)
        if classes.min() < 0 or classes.max() >= width:
            odd = classes.min() if classes.min() < 0 else classes.max()
            raise ValueError(f"Class {odd} is not among {width} columns of predictions")
        return "classes", classes, p
    task = fitting_task(columns, width, task)
    if task is TaskKind.CLASSES:
        return "classes", columns.argmax(axis=1), p
    if task is TaskKind.VALUES:
        return "numbers", columns, p
    return "labels", columns, p


def _classes(
    t: np.ndarray, p: np.ndarray, from_logits: bool
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    if from_logits:
        p = np.exp(p - p.max(axis=1, keepdims=True))
    p = np.maximum(p, 0)
    p = p / np.maximum(p.sum(axis=1, keepdims=True), LEAST)
    true = p[np.arange(len(t)), t]
    # Half the squared distance between the probabilities and the one-hot target: from 0
    # to 1.
    brier = ((p**2).sum(axis=1) - 2 * true + 1) / 2
    wrong = (p.argmax(axis=1) != t).astype(float)
    return wrong, -np.log(np.maximum(true, LEAST)), brier


def _labels(
    t: np.ndarray, p: np.ndarray, from_logits: bool
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    if from_logits:
        p = sigmoid(p)
    elif (t < 0).any():
        p = (p + 1) / 2  # hinge losses take targets of -1 and 1
    wrong = (p > 0.5) != (t > 0.5)
    true = np.where(t > 0.5, p, 1 - p)
    losses = -np.log(np.clip(true, LEAST, 1.0))
    brier = (1 - np.clip(true, 0.0, 1.0)) ** 2
    return wrong.mean(axis=1), losses.mean(axis=1), brier.mean(axis=1)


def _numbers(
    t: np.ndarray, p: np.ndarray, from_logits: bool
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    if from_logits:
        p = sigmoid(p)
    spread = float(np.mean((t - t.mean(axis=0)) ** 2)) or 1.0
    errors = np.mean((t - p) ** 2, axis=1) / spread
    return errors, errors, errors
