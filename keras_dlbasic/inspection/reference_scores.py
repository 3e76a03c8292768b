"""How well simple predictors do, which any trained model should beat."""

from __future__ import annotations

import numpy as np

MOST_FEATURES = 4096
NEIGHBOURS = 5
RIDGE = (1e-2, 1.0, 100.0)


def score(predicted: np.ndarray, targets: np.ndarray, kind: str) -> float:
    """Return how much better than a constant predictions are, at most 1.

    Args:
        predicted: Predicted columns, `[n, k]`: probabilities, scores or values.
        targets: Target columns, `[n, k]`; one-hot for classes.
        kind: `"classes"` (largest column wins), `"labels"` (each column above 0.5) or
            `"values"`.

    Returns:
        For values `1 - mse / variance`; for classes and labels the share of errors of
        the commonest answer that is avoided, each class counting alike (so a constant
        answer scores 0 on imbalanced classes too).

    Example:
    >>> import numpy as np
    >>> from keras_dlbasic.inspection.reference_scores import score
    >>> y = np.eye(2)[[0, 0, 0, 1]]
    >>> score(np.tile([1.0, 0.0], (4, 1)), y, "classes"), score(y, y, "classes")
    (0.0, 1.0)
    """
    predicted = np.asarray(predicted, np.float64)
    if not np.isfinite(predicted).all():
        return float("nan")
    if kind == "values":
        variance = np.sum((targets - targets.mean(axis=0)) ** 2)
        error = np.sum((targets - predicted) ** 2)
        return float(1 - error / variance) if variance > 0 else float("nan")
    if kind == "classes":
        right = predicted.argmax(axis=1) == targets.argmax(axis=1)
        return _balanced(right, targets.argmax(axis=1))
    each = [
        _balanced((p > 0.5) == (t > 0.5), (t > 0.5).astype(int))
        for p, t in zip(predicted.T, targets.T, strict=True)
    ]
    known = [value for value in each if np.isfinite(value)]
    return float(np.mean(known)) if known else float("nan")


def _balanced(right: np.ndarray, classes: np.ndarray) -> float:
    present = np.unique(classes)
    if len(present) < 2:
        return float("nan")
    recall = float(np.mean([right[classes == c].mean() for c in present]))
    chance = 1 / len(present)
    return (recall - chance) / (1 - chance)


def reference_scores(x: np.ndarray, targets: np.ndarray, kind: str) -> dict[str, float]:
    """Score a linear predictor and nearest neighbours on rows they have not seen.

    Each row is predicted from all others (leave-one-out), in closed form, from
    standardised features. These are cautious: a model scored on rows that it was
    trained on has an easier task.

    Args:
        x: Features, samples first; flattened.
        targets: Target columns, `[n, k]`.
        kind: As for `score`.

    Returns:
        `"linear"` and `"neighbours"`; empty for fewer than 20 rows or more than 4,096
        features.
    """
    n = len(x)
    features = np.asarray(x, np.float64).reshape(n, -1)
    if n < 20 or features.shape[1] > MOST_FEATURES or not np.isfinite(features).all():
        return {}
    spread = features.std(axis=0)
    features = (features - features.mean(axis=0)) / np.where(spread > 0, spread, 1)
    features /= np.sqrt(max(1, int((spread > 0).sum())))
    products = features @ features.T
    return {
        "linear": _best_ridge(products, targets, kind),
        "neighbours": score(_neighbours(products, targets), targets, kind),
    }


def _best_ridge(products: np.ndarray, targets: np.ndarray, kind: str) -> float:
    n = len(products)
    values, vectors = np.linalg.eigh(products + 1.0)  # + 1: an intercept
    values = np.maximum(values, 0.0)
    scores = []
    for ridge in RIDGE:
        shrunk = values / (values + ridge)
        hat = (vectors * shrunk) @ vectors.T
        leverage = np.minimum(np.diag(hat), 1 - 1 / n)[:, None]
        fitted = hat @ targets
        scores.append(
            score((fitted - leverage * targets) / (1 - leverage), targets, kind)
        )
    return float(np.nanmedian(scores)) if np.isfinite(scores).any() else float("nan")


def _neighbours(products: np.ndarray, targets: np.ndarray) -> np.ndarray:
    squares = np.diag(products)
    distances = squares[:, None] + squares[None, :] - 2 * products
    np.fill_diagonal(distances, np.inf)
    nearest = np.argsort(distances, axis=1, kind="stable")[:, :NEIGHBOURS]
    averaged: np.ndarray = targets[nearest].mean(axis=1)
    return averaged
