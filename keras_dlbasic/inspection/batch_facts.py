"""What batches are like, by what was read of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import keras
import numpy as np

from keras_dlbasic.analysis.row_order import order_of_classes, order_of_values
from keras_dlbasic.inspection.class_ids import class_ids
from keras_dlbasic.inspection.validation_facts import MOST_CLASSES
from keras_dlbasic.records import BatchFacts

CLASSES_NAMED = 10


def batch_facts(targets: Sequence[Any]) -> BatchFacts:
    """Describe batches.

    Args:
        targets: The targets of each batch: None, an array, or a structure of arrays.
            Of several outputs that one counts whose rows come most in order.

    Returns:
        A `BatchFacts`.

    Example:
    >>> import numpy as np
    >>> from keras_dlbasic.inspection.batch_facts import batch_facts
    >>> batch_facts([np.full(8, label) for label in (0, 0, 1, 1)]).classes_per_batch
    1.0
    """
    outputs = list(zip(*(_leaves(batch) for batch in targets), strict=False))
    found = [_of_output(batches) for batches in outputs if batches]
    n_rows = sum(len(batch) for batch in outputs[0]) if outputs else None
    # Of several outputs, the one whose batches are least likely to be shuffled counts.
    facts = min(found, key=_chance, default=BatchFacts())
    return replace(facts, n_batches=len(targets), n_rows=n_rows)


def _leaves(batch: Any) -> list[np.ndarray]:
    return [leaf for leaf in keras.tree.flatten(batch) if np.ndim(leaf)]


def _chance(facts: BatchFacts) -> float:
    return float(np.fmin(np.fmin(facts.class_chance, facts.value_chance), 0.0))


def _of_output(batches: Sequence[np.ndarray]) -> BatchFacts:
    if len({batch.shape[1:] for batch in batches}) > 1:
        return BatchFacts()
    ends = np.cumsum([len(batch) for batch in batches])[:-1]
    joined = np.concatenate(batches)
    facts = BatchFacts()
    ids = class_ids(joined)
    if ids is not None and len(np.unique(ids)) <= MOST_CLASSES:
        facts = _with_classes(facts, np.split(ids, ends))
    is_column = joined.ndim < 3 and joined[:1].size == 1
    if is_column and joined.dtype.kind in "iubf" and np.isfinite(joined).all():
        order = order_of_values(np.split(joined.reshape(-1), ends))
        if order is not None:
            facts = replace(
                facts,
                within=order.seen,
                expected_within=order.expected,
                value_chance=order.log10_chance,
            )
    return facts


def _with_classes(facts: BatchFacts, ids: list[np.ndarray]) -> BatchFacts:
    named = tuple(tuple(np.unique(b)[:CLASSES_NAMED].tolist()) for b in ids)
    order = order_of_classes(ids)
    if order is None:
        return replace(facts, classes=named)
    return replace(
        facts,
        classes=named,
        classes_per_batch=order.seen,
        expected_classes=order.expected,
        class_chance=order.log10_chance,
    )
