"""What weights rows have in the loss, by the batches that were read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import keras
import numpy as np

from keras_dlbasic.inspection.class_ids import class_ids
from keras_dlbasic.inspection.validation_facts import MOST_CLASSES
from keras_dlbasic.records import WeightFacts
from keras_dlbasic.records.json_facts import UNKNOWN

LEAST_PADDED = 20
"""Fewer targets may be the same by chance."""


def weight_facts(
    targets: Sequence[Any], weights: Sequence[Any], inputs: Sequence[Any] = ()
) -> tuple[WeightFacts, ...]:
    """Describe sample weights; Keras makes class weights such.

    Args:
        targets: The targets of each batch: None, an array, or a structure of arrays.
        weights: The sample weights of each batch, in the same forms.
        inputs: The inputs of each batch, by which padding is known. Defaults to none.

    Returns:
        A `WeightFacts` for each array of weights; none if there are no weights.

    Example:
    >>> import numpy as np
    >>> from keras_dlbasic.inspection.weight_facts import weight_facts
    >>> facts, = weight_facts([np.array([0, 1, 1])], [np.array([1.0, 0.0, 0.0])])
    >>> facts.by_class, facts.counts
    ((1.0, 0.0), (1, 2))
    """
    read = [_leaves(batch) for batch in weights]
    n_arrays = min(map(len, read), default=0)
    answers = [_leaves(batch) for batch in targets]
    has_own = all(len(batch) == n_arrays for batch in answers)
    found = []
    for place in range(n_arrays):
        name = read[0][place][0]
        own = [batch[place][1] for batch in read]
        of = [batch[place][1] for batch in answers] if has_own else None
        padding, on_padding = _on_padding(own, inputs, of)
        facts = replace(_described(own, of), name=name)
        found.append(replace(facts, padding=padding, on_padding=on_padding))
    return tuple(found)


def _on_padding(
    weights: list[np.ndarray],
    inputs: Sequence[Any],
    targets: Sequence[np.ndarray] | None,
) -> tuple[float, float]:
    """Return the shares of the steps and of the weight that are padding.

    Zeros in the inputs may also be masked on purpose, to be filled in by the model:
    then only they count in the loss. Their targets differ, and those of padding do not.
    """
    pairs = zip(inputs, weights, strict=False)
    padded = [part for pair in pairs if (part := _padding(*pair)) is not None]
    if not padded or len(padded) < len(weights):
        return UNKNOWN, UNKNOWN
    if targets is None or not _are_alike(targets, padded):
        return UNKNOWN, UNKNOWN
    is_padding = np.concatenate([part.reshape(-1) for part in padded])
    flat = np.concatenate([np.asarray(w, np.float64).reshape(-1) for w in weights])
    total = float(flat.sum())
    if not is_padding.any() or not np.isfinite(total) or total <= 0:
        return UNKNOWN, UNKNOWN
    return float(is_padding.mean()), float(flat[is_padding].sum()) / total


def _are_alike(targets: Sequence[np.ndarray], padded: list[np.ndarray]) -> bool:
    """Return whether all steps that are zeros in the inputs have the same target."""
    pairs = list(zip(targets, padded, strict=True))
    if any(target.shape[:2] != part.shape for target, part in pairs):
        return False
    if len({target.shape[2:] for target, _ in pairs}) > 1:
        return False
    joined = np.concatenate([target[part] for target, part in pairs])
    return len(joined) >= LEAST_PADDED and bool((joined == joined[0]).all())


def _padding(inputs: Any, weights: np.ndarray) -> np.ndarray | None:
    """Return which steps are zeros, of words or of vectors; None if there are none."""
    arrays = [np.asarray(leaf) for leaf in keras.tree.flatten(inputs)]
    if len(arrays) != 1 or weights.ndim != 2 or arrays[0].shape[:2] != weights.shape:
        return None
    x = arrays[0]
    if x.ndim == 2:  # numbers that are zero may be values, whole ones are words
        return np.asarray(x == 0) if np.array_equal(x, np.round(x)) else None
    return np.asarray((x == 0).all(axis=tuple(range(2, x.ndim))))


def _leaves(batch: Any) -> list[tuple[str, np.ndarray]]:
    if isinstance(batch, dict):
        named = sorted((str(name), leaf) for name, leaf in batch.items())
    else:
        named = [(str(i), leaf) for i, leaf in enumerate(keras.tree.flatten(batch))]
    return [(name, np.asarray(leaf)) for name, leaf in named if np.ndim(leaf)]


def _described(
    weights: list[np.ndarray], targets: list[np.ndarray] | None
) -> WeightFacts:
    flat = np.concatenate([np.asarray(w, np.float64).reshape(-1) for w in weights])
    facts = WeightFacts(
        n_weights=len(flat),
        per_row=all(w[:1].size == 1 for w in weights),
    )
    if not len(flat) or not np.isfinite(flat).all():
        return facts
    facts = replace(
        facts,
        zeros=float(np.mean(flat == 0)),
        min=float(flat.min()),
        max=float(flat.max()),
    )
    ids = None if targets is None else _classes(targets, weights)
    if ids is None or len(np.unique(ids)) > MOST_CLASSES:
        return facts
    classes, places, counts = np.unique(ids, return_inverse=True, return_counts=True)
    sums = np.bincount(places.reshape(-1), weights=flat)
    return replace(
        facts,
        classes=tuple(map(int, classes)),
        counts=tuple(map(int, counts)),
        by_class=tuple((sums / counts).tolist()),
    )


def _classes(targets: list[np.ndarray], weights: list[np.ndarray]) -> np.ndarray | None:
    """Return the class that each weight is for; None if the targets are no classes."""
    parts = []
    for target, weight in zip(targets, weights, strict=True):
        if len(target) != len(weight) or not len(target):
            return None
        # Weights may be per row, or per position such as a time step. Targets are cut
        # into as many parts as there are weights, so each part has a weight of its own.
        n = weight.size
        if target.size % n or target.shape[: weight.ndim] != weight.shape:
            if weight[:1].size > 1 or target.ndim > 2:
                return None  # weights that are broadcast
            n = len(target)
        parts.append(target.reshape(n, -1))
    if len({part.shape[1] for part in parts}) > 1:
        return None
    return class_ids(np.concatenate(parts))
