"""How much better predictions are than the best constant one, whatever the loss."""

from __future__ import annotations

from typing import Any

import numpy as np


def prediction_skill(y: Any, predictions: Any, *, from_logits: bool = False) -> float:
    """Score predictions from -1 to 1: 0 is the best constant, 1 is perfect.

    Losses cannot be compared with each other; this can, when a remedy changes the loss.
    For classes and labels it is the mean of the skill of the accuracy, against always
    naming the commonest class, and the Brier skill score (Brier 1950), against the
    classes' frequencies; for other targets the share of variance explained.

    Args:
        y: Targets, samples first: class numbers `[n]` or `[n, 1]` for predictions with
            several columns, one-hot or 0-1 columns like the predictions, or numbers.
        predictions: What the model gives, `[n, ...]`.
        from_logits: Whether predictions for classes are logits. Defaults to `False`;
            those outside of 0 to 1 are cut.

    Returns:
        The skill, cut at -1; -1 if a prediction is not finite; 0 if the targets do not
        vary.

    Raises:
        ValueError: If both do not have the same number of samples.

    Example:
    >>> import keras_dlbasic as kd
    >>> kd.analysis.prediction_skill([0, 1, 1, 0], [[0.1], [0.9], [0.8], [0.3]])
    0.925
    """
    p = np.asarray(predictions, np.float64)
    target = np.asarray(y)
    if len(p) != len(target):
        raise ValueError(
            "Expected as many predictions as targets. Received: "
            f"{len(p)} predictions, {len(target)} targets"
        )
    if not np.isfinite(p).all():
        return -1.0
    columns = p.shape[-1] if p.ndim > 1 else 1
    p = p.reshape(-1, columns)
    t = target.astype(np.float64)
    if columns > 1 and t.size == len(p) and _whole(t):
        t = t.ravel().astype(int)
        size = max(columns, int(t.max()) + 1)
        t = np.eye(size)[t]
        p = np.pad(p, ((0, 0), (0, size - columns)), constant_values=0.0)
        return _round(_classes(t, _softmax(p) if from_logits else p))
    if t.size != p.size:
        return -1.0  # they do not fit together
    t = t.reshape(p.shape)
    if not np.isin(t, (0.0, 1.0)).all():
        if np.isin(t, (-1.0, 1.0)).all():
            return _round(_labels((t + 1) / 2, (p + 1) / 2))
        return _round(_numbers(t, p))
    if columns > 1 and (t.sum(axis=1) == 1).all():
        return _round(_classes(t, _softmax(p) if from_logits else p))
    return _round(_labels(t, 1 / (1 + np.exp(-p)) if from_logits else p))


def _whole(t: np.ndarray) -> bool:
    return bool((t == np.round(t)).all() and (t >= 0).all())


def _round(skill: float) -> float:
    return round(float(np.clip(skill, -1.0, 1.0)), 6)


def _softmax(p: np.ndarray) -> np.ndarray:
    e = np.exp(p - p.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def _classes(t: np.ndarray, p: np.ndarray) -> float:
    frequency = t.mean(axis=0)
    chance = float(frequency.max())
    right = float((p.argmax(axis=1) == t.argmax(axis=1)).mean())
    base = ((frequency - t) ** 2).sum()
    return _mean_skill(right, chance, ((p - t) ** 2).sum(), base)


def _labels(t: np.ndarray, p: np.ndarray) -> float:
    p = np.clip(p, 0.0, 1.0)
    frequency = t.mean(axis=0)
    chance = float(np.maximum(frequency, 1 - frequency).mean())
    right = float(((p > 0.5) == (t > 0.5)).mean())
    base = ((frequency - t) ** 2).sum()
    return _mean_skill(right, chance, ((p - t) ** 2).sum(), base)


def _mean_skill(right: float, chance: float, error: float, base: float) -> float:
    if chance >= 1 or base <= 0:
        return 0.0
    return 0.5 * ((right - chance) / (1 - chance) + 1 - error / base)


def _numbers(t: np.ndarray, p: np.ndarray) -> float:
    base = ((t - t.mean(axis=0)) ** 2).sum()
    return 0.0 if base <= 0 else float(1 - ((t - p) ** 2).sum() / base)
