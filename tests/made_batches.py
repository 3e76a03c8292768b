"""Batches made by hand, and what a record has of them."""

from dataclasses import replace

import numpy as np

from keras_dlbasic.inspection.batch_facts import batch_facts
from keras_dlbasic.inspection.weight_facts import weight_facts


def with_batches(record, targets, weights=None, **facts):
    """Add what batches of such targets and weights tell."""
    given = [None] * len(targets) if weights is None else weights
    record.note(
        data=replace(
            record.facts.data,
            batches=replace(batch_facts(targets), **facts),
            weights=weight_facts(targets, given),
        )
    )
    return record


DRAWN = [np.random.default_rng(i).integers(0, 4, 32) for i in range(16)]
SORTED = np.split(np.sort(np.concatenate(DRAWN)), 16)
"""Classes of the rows of 16 batches."""


def weighed(*by_class):
    """Batches whose rows have a weight by their class."""
    return DRAWN, [np.array(by_class)[batch] for batch in DRAWN]
