"""What a loss gives for the targets themselves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from keras_dlbasic.inspection.baseline import (
    AT_ONCE,
    as_columns,
    parts_of,
    sample_losses,
)
from keras_dlbasic.records.probe_facts import TruthFacts

MIN_ROWS = 16
EDGE = 1e-6
SOFT = 0.05
"""Mean distance from 0 and 1 of targets that are shares; rounding errors are less."""
PROBABILITIES = ("sigmoid", "softmax", "hard_sigmoid")
UNLIMITED = (None, "linear")
SAME = 1e-3
"""Losses that differ by less than this share are the same."""
IN_PROPORTION = 5.0
"""From 10 to 100 a loss in proportion falls ten times as far as from 1 to 10."""
POSITIVE = ("relu", "softplus", "exponential")

Form = Callable[[np.ndarray], np.ndarray]


def truth_facts(
    loss: Any, targets: np.ndarray, shape: tuple[int, ...], activation: str | None
) -> TruthFacts | None:
    """Evaluate a loss where the output is right, and where it is not.

    Of an output whose form is not known (values or logits) the form is taken in which
    being right costs least.

    Args:
        loss: As for `sample_losses`.
        targets: Targets, samples first.
        shape: Shape of the model's outputs for these rows.
        activation: Activation of the output.

    Returns:
        The losses; None where the output cannot give the targets, as in embeddings, or
        the loss cannot be computed.

    Example:
    >>> import numpy as np
    >>> from keras import ops
    >>> from keras_dlbasic.inspection.truth_facts import truth_facts
    >>> y = np.arange(32.0)[:, None]
    >>> wrong_sign = lambda y_true, y_pred: -ops.mean((y_true - y_pred) ** 2)
    >>> facts = truth_facts(wrong_sign, y, (32, 1), "linear")
    >>> facts.constant < facts.truth
    True
    """
    if len(targets) > AT_ONCE:  # rows that are given together may be alike
        order = np.random.default_rng(0).permutation(len(targets))
        targets = np.asarray(targets)[order]
    columns = as_columns(targets, shape)
    if columns is None or len(targets) < MIN_ROWS or not np.isfinite(columns).all():
        return None
    if (columns == columns[0]).all():
        return None
    found = []
    for form in _forms(columns, np.asarray(targets), shape, activation):
        try:
            facts = _in_form(loss, np.asarray(targets), shape, columns, form)
        except Exception:  # a user's loss, of which not all answers need be possible
            continue
        if np.isfinite([facts.truth, facts.constant, facts.shuffled]).all():
            found.append((facts, form))
    if not found:
        return None
    facts, form = min(found, key=lambda one: _cost(one[0]))
    is_numbered = columns.size != np.asarray(targets).size
    is_better = facts.truth < facts.shuffled - SAME * abs(facts.shuffled)
    if is_numbered and not is_better and activation in PROBABILITIES:
        facts = _with_one_hot(facts, loss, columns.reshape(shape), form)
        vectors = min(facts.one_hot_constant, facts.one_hot_shuffled)
        is_right = facts.one_hot_truth < vectors
        if activation == "softmax" or is_right:
            return facts
        ordered = _of_ordered(loss, np.asarray(targets), shape, columns)
        return ordered or facts
    if not is_numbered and activation in UNLIMITED:
        return _with_multiples(facts, loss, np.asarray(targets), shape, form(columns))
    return facts


def _with_one_hot(
    facts: TruthFacts, loss: Any, vectors: np.ndarray, form: Form
) -> TruthFacts:
    """Add what the loss gives if it is given one-hot vectors for class numbers."""
    try:
        columns = vectors.reshape(-1, vectors.shape[-1])
        targets = vectors.astype("float32")
        other = _in_form(loss, targets, vectors.shape, columns, form)
    except Exception:  # a loss for class numbers
        return facts
    return replace(
        facts,
        one_hot_truth=other.truth,
        one_hot_constant=other.constant,
        one_hot_shuffled=other.shuffled,
    )


def _of_ordered(
    loss: Any, targets: np.ndarray, shape: tuple[int, ...], columns: np.ndarray
) -> TruthFacts | None:
    """Return the losses of an output that tells whether a number is above each other.

    They are None where the loss is not lowest for these answers, or is as low for the
    vector of another class, as where the sign is wrong.
    """
    try:
        facts = _in_form(loss, targets, shape, columns, _above)
        moved = _in_form(loss, targets, shape, np.roll(columns, 1, axis=1), _clipped)
    except Exception:  # a user's loss
        return None
    least = min(facts.constant, facts.shuffled, moved.truth)
    return facts if facts.truth < least - SAME * abs(least) else None


def _with_multiples(
    facts: TruthFacts,
    loss: Any,
    targets: np.ndarray,
    shape: tuple[int, ...],
    answers: np.ndarray,
) -> TruthFacts:
    """Add what the loss gives for outputs of ten and a hundred times the targets."""
    outputs = answers.reshape(shape).astype("float32")
    try:
        once, tenfold, hundredfold = (
            sample_losses(loss, targets.copy(), factor * outputs)
            for factor in (1, 10, 100)
        )
    except Exception:  # a user's loss
        return facts
    if not np.isfinite([*once, *tenfold, *hundredfold]).all():
        return facts
    first, second = tenfold - once, hundredfold - tenfold
    falls = (hundredfold < 0) & (first < 0) & (second < IN_PROPORTION * first)
    return replace(
        facts,
        tenfold=float(tenfold.mean()),
        hundredfold=float(hundredfold.mean()),
        falling=float(falls.mean()),
    )


def _cost(facts: TruthFacts) -> float:
    """Return by how much it costs more to be right than to be constant."""
    size = max(abs(facts.truth), abs(facts.constant), abs(facts.shuffled))
    return (facts.truth - facts.constant) / size if size else 0.0


def _forms(
    columns: np.ndarray,
    targets: np.ndarray,
    shape: tuple[int, ...],
    activation: str | None,
) -> list[Form]:
    """Return how the output can give the targets, empty if it cannot."""
    low, high = columns.min(), columns.max()
    is_share = low >= 0 and high <= 1
    if activation in PROBABILITIES:
        adds_up = np.abs(columns.sum(axis=1) - 1).max() < 0.05
        return [_clipped] if is_share and (adds_up or activation != "softmax") else []
    if activation == "tanh":
        return [_same] if low >= -1 and high <= 1 else []
    if activation in POSITIVE:
        return [_clipped if is_share else _same] if low >= 0 else []
    # Class numbers of a linear output may be those of embeddings, and signs those of
    # a critic, whose output need not have the sign of the target.
    width = shape[-1] if len(shape) > 1 else 1
    is_numbered = columns.size != targets.size
    if is_numbered and (width < 3 or len(np.unique(targets)) != width):
        return []
    if np.isin(columns, (-1.0, 1.0)).all():
        return []
    return [_same, _logits] if is_share else [_same]


def _same(columns: np.ndarray) -> np.ndarray:
    return columns


def _clipped(columns: np.ndarray) -> np.ndarray:
    return np.clip(columns, EDGE, 1 - EDGE)


def _above(columns: np.ndarray) -> np.ndarray:
    """Return by column the share of the classes that are above it."""
    total = columns.sum(axis=1, keepdims=True)
    return _clipped(total - np.cumsum(columns, axis=1))


def _logits(columns: np.ndarray) -> np.ndarray:
    share = _clipped(columns)
    return np.asarray(np.log(share / (1 - share)))


def _in_form(
    loss: Any,
    targets: np.ndarray,
    shape: tuple[int, ...],
    columns: np.ndarray,
    form: Form,
) -> TruthFacts:
    def cost(answer: np.ndarray, given: np.ndarray = targets) -> float:
        outputs = np.broadcast_to(form(answer).reshape(-1, *shape[1:]), shape)
        losses = sample_losses(loss, given.copy(), outputs.astype("float32"))
        return float(losses.mean())

    # Each row gets the answer of another one, in an order drawn once, of those that the
    # loss is given together: a loss that mixes these is the same then.
    other = np.arange(len(targets))
    rng = np.random.default_rng(0)
    for part in parts_of(len(targets)):
        order = rng.permutation(other[part])
        other[order] = np.roll(order, len(order) // 2)
    rows = columns.reshape(len(targets), -1)
    is_share = columns.min() >= 0 and columns.max() <= 1
    middle = np.broadcast_to(columns.mean(axis=0), columns.shape)
    constants = [cost(middle), cost(np.zeros_like(columns) + np.median(columns, 0))]
    ends = [columns.min(), columns.max()] if columns.shape[-1] == 1 else []
    edges = [cost(np.full_like(columns, end)) for end in ends]
    # A loss that compares at all changes where all rows have the target of the first,
    # for this answer or for the mean.
    first, alike = (
        np.broadcast_to(rows[:1], rows.shape),
        np.broadcast_to(targets[:1], targets.shape),
    )
    return TruthFacts(
        truth=cost(columns),
        constant=float(np.nanmin(constants)),
        edge=float(np.nanmin(edges)) if edges else float("nan"),
        shuffled=cost(rows[other]),
        opposite=cost(1 - columns) if is_share else float("nan"),
        hardened=cost(_hardened(columns)) if _is_soft(columns) else float("nan"),
        moved=max(abs(cost(a, alike) - cost(a)) for a in (first, middle)),
    )


def _is_soft(columns: np.ndarray) -> bool:
    """Return whether targets are shares that are not 0 and 1."""
    is_share = columns.min() >= 0 and columns.max() <= 1
    return bool(is_share and np.abs(columns - np.round(columns)).mean() > SOFT)


def _hardened(columns: np.ndarray) -> np.ndarray:
    """Return the answers of 0 and 1 that are nearest, one 1 a row in distributions."""
    if columns.shape[1] > 1 and np.abs(columns.sum(axis=1) - 1).max() < EDGE * 1e3:
        return np.eye(columns.shape[1])[columns.argmax(axis=1)]
    return np.round(columns)
