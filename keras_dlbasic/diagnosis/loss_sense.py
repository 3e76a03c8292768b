"""Whether a loss is lowest where the output is right."""

from __future__ import annotations

import math
from typing import Literal

from keras_dlbasic.records.probe_facts import BeyondFacts, TruthFacts

Sense = Literal[
    "right",
    "wrong",
    "opposite",
    "blind",
    "indifferent",
    "extreme",
    "numbers",
    "unclear",
]

MARGIN = 0.05
"""Losses count as different from this share of the largest of them."""

OUTSIDE = 0.05
"""Fewer targets outside of 0 and 1 are outliers."""


def loss_sense(facts: TruthFacts) -> Sense:
    """Tell what a loss rewards, by its values for answers that are known to be right.

    Args:
        facts: The losses of the targets themselves and of other answers.

    Returns:
        `"right"` if the targets themselves do best; `"wrong"` if answers of other rows
        and a constant are better; `"opposite"` if that is so, and no loss is below 0,
        so that it may be meant; `"extreme"` if answers of 0 and 1 are better than the
        shares that the targets are; `"blind"` if a constant is better and it does not
        matter which row gets which answer; `"indifferent"` if a constant is as good as
        the targets, while answers of other rows are worse; `"numbers"` if class numbers
        do not do best with their own class, and one-hot vectors of them would;
        `"unclear"` for all else.

    Example:
    >>> from keras_dlbasic.diagnosis.loss_sense import loss_sense
    >>> from keras_dlbasic.records.probe_facts import TruthFacts
    >>> loss_sense(TruthFacts(truth=0.0, constant=-1.0, shuffled=-2.0, moved=3.0))
    'wrong'
    """
    truth, constant, shuffled = facts.truth, facts.constant, facts.shuffled
    size = max(abs(truth), abs(constant), abs(shuffled))
    # what is the same for all targets is no comparison, but an output named a loss
    if not math.isfinite(size) or not size or not facts.moved > 1e-3 * size:
        return "unclear"
    margin = MARGIN * size
    vectors = min(facts.one_hot_constant, facts.one_hot_shuffled)
    if truth > constant - margin and facts.one_hot_truth < vectors - 1e-3 * size:
        return "numbers"
    # Where being right costs more than any other answer, the sign is wrong, whatever
    # answers of 0 and 1 would get: that is asked first.
    is_worst = truth > constant + margin and truth > shuffled + margin
    if facts.hardened < truth - margin and not is_worst:
        return "extreme"
    if abs(truth - facts.edge) < 1e-3 * size and truth < shuffled - margin:
        return "indifferent"
    if truth < constant and truth < shuffled:
        return "right"
    # A loss is wrong only if being right costs clearly more than a constant prediction.
    if truth <= constant + margin:
        return "unclear"
    if truth > shuffled + margin:
        is_meant = facts.opposite < min(truth, constant, shuffled) - margin
        return "opposite" if is_meant and facts.opposite >= 0 else "wrong"
    return "blind" if abs(truth - shuffled) < 1e-3 * size else "unclear"


def has_no_lowest(facts: TruthFacts) -> bool:
    """Return whether a loss falls without end as the outputs grow.

    Args:
        facts: The losses of the targets themselves and of multiples of them.

    Example:
    >>> from keras_dlbasic.diagnosis.loss_sense import has_no_lowest
    >>> from keras_dlbasic.records.probe_facts import TruthFacts
    >>> losses = {"truth": -1.0, "tenfold": -10.0, "hundredfold": -100.0}
    >>> has_no_lowest(TruthFacts(falling=1.0, **losses))
    True
    """
    return facts.falling > 0.9 and facts.hundredfold < facts.tenfold < 0


def falls_at_edges(facts: BeyondFacts) -> bool:
    """Return whether a loss of probabilities falls below zero evenly toward the edges.

    A cross-entropy does, by the logarithm, for targets outside of 0 and 1. Distances
    change less and less as the output comes close to 0 and 1.

    Args:
        facts: The losses close to 0 and 1.

    Example:
    >>> from keras_dlbasic.diagnosis.loss_sense import falls_at_edges
    >>> from keras_dlbasic.records.probe_facts import BeyondFacts
    >>> losses = {"tenth": -1.0, "hundredth": -3.0, "thousandth": -5.0}
    >>> falls_at_edges(BeyondFacts(outside=0.5, compares=True, **losses))
    True
    """
    first = facts.hundredth - facts.tenth
    second = facts.thousandth - facts.hundredth
    falls = facts.thousandth < 0 and second < 0.5 * first < 0
    return facts.compares and facts.outside > OUTSIDE and falls
