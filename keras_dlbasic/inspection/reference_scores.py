"""How well simple predictors do, which any trained model should beat."""

from __future__ import annotations

import numpy as np

from keras_dlbasic.analysis.scoring import TaskKind, skill

MOST_FEATURES = 4096
NEIGHBOURS = 5
RIDGE = (1e-2, 1.0, 100.0)


def reference_scores(
    x: np.ndarray, targets: np.ndarray, task: TaskKind | str
) -> dict[str, float]:
    """Return the skill of two simple predictors on rows they have not seen.

    They are a linear predictor and nearest neighbours; for skill see `analysis.skill`.

    Each row is predicted from all others (leave-one-out), in closed form, from
    standardised features. These are cautious: a model scored on rows that it was
    trained on has an easier task.

    Args:
        x: Features, samples first; flattened.
        targets: Target columns, `[n, k]`.
        task: What is predicted, a `TaskKind` or its value.

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
    task = TaskKind(task)
    if task is TaskKind.LABELS:
        targets = (targets > 0.5).astype(np.float64)
    neighbours = _neighbours(products, targets)
    return {
        "linear": _best_ridge(products, targets, task),
        "neighbours": skill(targets, neighbours, task).value,
    }


def _best_ridge(products: np.ndarray, targets: np.ndarray, task: TaskKind) -> float:
    n = len(products)
    values, vectors = np.linalg.eigh(products + 1.0)  # + 1: an intercept
    values = np.maximum(values, 0.0)
    scores = []
    for ridge in RIDGE:
        shrunk = values / (values + ridge)
        hat = (vectors * shrunk) @ vectors.T
        leverage = np.minimum(np.diag(hat), 1 - 1 / n)[:, None]
        fitted = hat @ targets
        unseen = (fitted - leverage * targets) / (1 - leverage)
        scores.append(skill(targets, unseen, task).value)
    return float(np.nanmedian(scores)) if np.isfinite(scores).any() else float("nan")


def _neighbours(products: np.ndarray, targets: np.ndarray) -> np.ndarray:
    squares = np.diag(products)
    distances = squares[:, None] + squares[None, :] - 2 * products
    np.fill_diagonal(distances, np.inf)
    nearest = np.argsort(distances, axis=1, kind="stable")[:, :NEIGHBOURS]
    averaged: np.ndarray = targets[nearest].mean(axis=1)
    return averaged
