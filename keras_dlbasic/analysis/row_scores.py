"""How wrong each prediction is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

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
    """

    kind: str
    errors: np.ndarray
    losses: np.ndarray
    brier: np.ndarray


def row_scores(y: Any, predictions: Any, *, from_logits: bool = False) -> RowScores:
    """Score each prediction, whatever the loss of the model.

    Args:
        y: Targets, samples first: class numbers `[n]` or `[n, 1]` for predictions with
            several columns, one-hot or 0-1 columns like the predictions, or numbers.
        predictions: What the model gives, `[n, ...]`.
        from_logits: Whether predictions for classes are logits. Defaults to `False`.

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
    rows = len(p)
    if len(t) != rows:
        raise ValueError(
            "Expected as many predictions as targets. Received: "
            f"{rows} predictions, {len(t)} targets"
        )
    columns = p.shape[-1] if p.ndim > 1 else 1
    p = p.reshape(-1, columns)
    kind, t = _kind(t.astype(np.float64), p)
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
    return RowScores(kind, *found)


def _kind(t: np.ndarray, p: np.ndarray) -> tuple[str, np.ndarray]:
    columns = p.shape[1]
    if columns > 1 and t.size == len(p) and (t == np.round(t)).all() and t.min() >= 0:
        if t.max() < columns:
            return "classes", t.ravel().astype(int)
        raise ValueError(
            f"Class {int(t.max())} is not among {columns} columns of predictions"
        )
    if t.size != p.size:
        raise ValueError(
            "Targets and predictions do not fit together. Received: "
            f"{t.shape} and {p.shape}"
        )
    t = t.reshape(p.shape)
    if not np.isin(t, (0.0, 1.0)).all():
        return "numbers", t
    if columns > 1 and (t.sum(axis=1) == 1).all():
        return "classes", t.argmax(axis=1)
    return "labels", t


def _classes(
    t: np.ndarray, p: np.ndarray, from_logits: bool
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    if from_logits:
        p = np.exp(p - p.max(axis=1, keepdims=True))
    p = np.maximum(p, 0)
    p = p / np.maximum(p.sum(axis=1, keepdims=True), LEAST)
    true = p[np.arange(len(t)), t]
    brier = ((p**2).sum(axis=1) - 2 * true + 1) / 2
    wrong = (p.argmax(axis=1) != t).astype(float)
    return wrong, -np.log(np.maximum(true, LEAST)), brier


def _labels(
    t: np.ndarray, p: np.ndarray, from_logits: bool
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    if from_logits:
        p = 1 / (1 + np.exp(-np.clip(p, -60, 60)))
    wrong = (p > 0.5) != (t > 0.5)
    true = np.where(t > 0.5, p, 1 - p)
    losses = -np.log(np.clip(true, LEAST, 1.0))
    brier = (1 - np.clip(true, 0.0, 1.0)) ** 2
    return wrong.mean(axis=1), losses.mean(axis=1), brier.mean(axis=1)


def _numbers(
    t: np.ndarray, p: np.ndarray, from_logits: bool
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    spread = float(np.mean((t - t.mean(axis=0)) ** 2)) or 1.0
    errors = np.mean((t - p) ** 2, axis=1) / spread
    return errors, errors, errors
