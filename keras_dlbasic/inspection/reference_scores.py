"""How well simple predictors do, which any trained model should beat."""

from __future__ import annotations

import numpy as np

from keras_dlbasic.analysis.evenly import evenly
from keras_dlbasic.analysis.scoring import TaskKind, skill

MOST_ROWS = 2000
"""Of more rows this many are compared, evenly chosen."""

MOST_FEATURES = 1024
"""Wider rows are projected."""

PROJECTED = 512
NEIGHBOURS = 5
RIDGE = (1e-2, 1.0, 100.0)


def reference_scores(
    x: np.ndarray, targets: np.ndarray, task: TaskKind | str, *, is_ids: bool = False
) -> dict[str, float]:
    """Return the skill of two simple predictors on rows they have not seen.

    They are a linear predictor and nearest neighbors; for skill see `analysis.skill`.

    Each row is predicted from all others (leave-one-out), in closed form, from
    standardized features. These are cautious: a model scored on rows that it was
    trained on has an easier task. At most 2,000 rows take part, and more than 1,024
    features are projected to 512 at random, the same way each time.

    The size of an id, such as that of a token, means nothing. Of ids only the linear
    predictor is scored, on which of the 1,024 most frequent ones a row has.

    Args:
        x: Features, samples first; flattened.
        targets: Target columns, `[n, k]`.
        task: What is predicted, a `TaskKind` or its value.
        is_ids: Whether `x` are ids. Defaults to `False`.

    Returns:
        `"linear"` and `"neighbours"`, or `"counts"` of ids; empty for fewer than 20
        rows.
    """
    rows = evenly(len(x), MOST_ROWS)
    if is_ids:
        features, targets = _occurrences(x[rows]), targets[rows]
    else:
        features, targets = _flat(x[rows]), targets[rows]
    is_empty = not features.shape[1]
    if len(rows) < 20 or is_empty or not np.isfinite(features).all():
        return {}
    features = _standardised(features)
    if features.shape[1] > MOST_FEATURES:
        features = _projected(features)
    task = TaskKind(task)
    if task is TaskKind.LABELS:
        targets = (targets > 0.5).astype(np.float64)
    products = features @ features.T
    if is_ids:
        return {"counts": _best_ridge(features, products, targets, task)}
    neighbours = _neighbours(products, targets)
    return {
        "linear": _best_ridge(features, products, targets, task),
        "neighbours": skill(targets, neighbours, task).value,
    }


def _occurrences(ids: np.ndarray) -> np.ndarray:
    """Return which ids each row has, `[n, k]`, of those that more than one row has."""
    flat = ids.reshape(len(ids), -1)
    known, places = np.unique(flat, return_inverse=True)
    rows = np.repeat(np.arange(len(flat)), flat.shape[1])
    pairs = np.unique(rows * len(known) + places.reshape(-1))
    n_rows = np.bincount(pairs % len(known), minlength=len(known))
    usual = np.argsort(-n_rows, kind="stable")[:MOST_FEATURES]
    usual = usual[(n_rows[usual] > 1) & (n_rows[usual] < len(flat))]
    column = np.full(len(known), -1)
    column[usual] = np.arange(len(usual))
    found = np.zeros((len(flat), len(usual)))
    columns = column[pairs % len(known)]
    kept = columns >= 0
    found[pairs[kept] // len(known), columns[kept]] = 1.0
    return found


def _flat(x: np.ndarray) -> np.ndarray:
    # twice the memory helps only those that are few
    is_wide = x[:1].size > MOST_FEATURES
    return np.asarray(x, np.float32 if is_wide else np.float64).reshape(len(x), -1)


def _standardised(features: np.ndarray) -> np.ndarray:
    with np.errstate(over="ignore"):
        spread = features.std(axis=0)
    # Dividing by the root of the number of features gives rows products of about 1, so
    # that one set of ridge strengths suits data of any width.
    scale = np.where(spread > 0, spread, 1) * np.sqrt(max(1, int((spread > 0).sum())))
    standardised: np.ndarray = (features - features.mean(axis=0)) / scale
    return standardised


def _projected(features: np.ndarray) -> np.ndarray:
    """Return random sums of features, which keep products of rows on average.

    Each feature is added, with a random sign, to one of 512 sums (feature hashing,
    Weinberger et al. 2009). That reads the features once, where a dense random matrix
    takes as long as all the products that it saves.
    """
    n_features = features.shape[1]
    generator = np.random.default_rng(0)  # no draw from a generator of the user's
    # dealt out in turn, so that no sum is empty
    order = generator.permutation(n_features)
    signs = generator.choice(np.array([-1, 1], features.dtype), n_features)
    starts = np.arange(PROJECTED) * n_features // PROJECTED
    signed = features[:, order] * signs
    projected: np.ndarray = np.add.reduceat(signed, starts, axis=1)
    return projected.astype(np.float64)


def _best_ridge(
    features: np.ndarray, products: np.ndarray, targets: np.ndarray, task: TaskKind
) -> float:
    n, width = features.shape
    # One decomposition gives the leave-one-out predictions for all ridge strengths. The
    # leverage is the share of its own target in the fitted value of a row, and is taken
    # out of it. Of few rows the products are decomposed, which is several times as
    # fast; their rounding is far below the smallest ridge.
    if n <= width:
        squares, vectors = np.linalg.eigh(products + 1.0)  # with an intercept
        squares = np.maximum(squares, 0.0)
    else:
        with_intercept = np.column_stack([features, np.ones(n)])
        vectors, roots, _ = np.linalg.svd(with_intercept, full_matrices=False)
        squares = roots**2
    scores = []
    for ridge in RIDGE:
        shrunk = squares / (squares + ridge)
        leverage = np.minimum(vectors**2 @ shrunk, 1 - 1 / n)[:, None]
        fitted = (vectors * shrunk) @ (vectors.T @ targets)
        unseen = (fitted - leverage * targets) / (1 - leverage)
        scores.append(skill(targets, unseen, task).value)
    # The median and not the best of the scores: the best would be chosen by the rows on
    # which it is judged.
    return float(np.nanmedian(scores)) if np.isfinite(scores).any() else float("nan")


def _neighbours(products: np.ndarray, targets: np.ndarray) -> np.ndarray:
    squares = np.diag(products)
    distances = squares[:, None] + squares[None, :] - 2 * products
    np.fill_diagonal(distances, np.inf)
    nearest = np.argsort(distances, axis=1, kind="stable")[:, :NEIGHBOURS]
    averaged: np.ndarray = targets[nearest].mean(axis=1)
    return averaged
