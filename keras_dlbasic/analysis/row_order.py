"""Whether rows come in order, by the batches that they come in."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import f as f_distribution
from scipy.stats import rankdata

MIN_BATCHES = 4
"""Of fewer batches nothing is said."""

_TILTS = np.concatenate([[0.0], np.geomspace(1e-3, 60.0, 200)])


@dataclass(frozen=True)
class RowOrder:
    """How alike the targets of a batch are, against random draws.

    Attributes:
        seen: Mean number of classes in a batch; of values, the share of the variance
            of their ranks that lies within batches.
        expected: The same if each batch were drawn at random from all rows.
        log10_chance: Decimal logarithm of a bound on the probability that random draws
            give batches so much alike; 0 at most.
    """

    seen: float
    expected: float
    log10_chance: float


def order_of_classes(batches: Sequence[np.ndarray]) -> RowOrder | None:
    """Count the classes in each batch, and compare with random draws.

    That a class is in a batch is an event for each pair of both. In random draws such
    events hinder each other (they are negatively associated), so that Chernoff's bound
    for independent ones holds for the number of those that occur.

    Args:
        batches: The class numbers of the rows of each batch.

    Returns:
        A `RowOrder`; None of fewer than four batches or two classes.

    Example:
    >>> import numpy as np
    >>> from keras_dlbasic.analysis.row_order import order_of_classes
    >>> sorted_rows = [np.full(16, label) for label in (0, 0, 1, 1, 2, 2)]
    >>> order = order_of_classes(sorted_rows)
    >>> order.seen, round(order.expected, 2), order.log10_chance < -6
    (1.0, 3.0, True)
    """
    batches = [batch for batch in batches if len(batch)]
    if len(batches) < MIN_BATCHES:
        return None
    classes, counts = np.unique(np.concatenate(batches), return_counts=True)
    if len(classes) < 2:
        return None
    share = counts / counts.sum()
    sizes = np.array([len(batch) for batch in batches])
    # A batch of a given size, drawn at random, lacks a class with this probability.
    misses = (1 - share)[None, :] ** sizes[:, None]
    seen = sum(len(np.unique(batch)) for batch in batches)
    n = len(batches)
    return RowOrder(seen / n, float((1 - misses).sum()) / n, _log_bound(misses, seen))


def _log_bound(misses: np.ndarray, seen: int) -> float:
    """Return Chernoff's bound for at most `seen` of the events, as a logarithm."""
    # for each tilt t >= 0: P(N <= n) <= exp(t n) * prod(miss + (1 - miss) exp(-t))
    flat = misses.ravel()[:, None]
    with np.errstate(divide="ignore"):
        logs = np.log(flat + (1 - flat) * np.exp(-_TILTS)).sum(axis=0) + _TILTS * seen
    return float(min(0.0, np.nanmin(logs)) / math.log(10))


def order_of_values(batches: Sequence[np.ndarray]) -> RowOrder | None:
    """Compare ranks within batches with ranks between them: an analysis of variance.

    Args:
        batches: The target of the rows of each batch, one number a row.

    Returns:
        A `RowOrder`; None of fewer than four batches of two rows, or values that are
        all alike.
    """
    batches = [batch for batch in batches if len(batch) > 1]
    if len(batches) < MIN_BATCHES:
        return None
    ranks = rankdata(np.concatenate(batches))
    n, groups = len(ranks), len(batches)
    total = float(((ranks - ranks.mean()) ** 2).sum())
    if not total:
        return None
    ends = np.cumsum([len(batch) for batch in batches])[:-1]
    within = sum(float(((r - r.mean()) ** 2).sum()) for r in np.split(ranks, ends))
    # An F test on the ranks: if rows are shuffled, ranks differ between batches only as
    # much as within them.
    freedom = groups - 1, n - groups
    if within <= 1e-9 * total:
        chance = -math.inf
    else:
        ratio = ((total - within) / freedom[0]) / (within / freedom[1])
        chance = f_distribution.logsf(ratio, *freedom) / math.log(10)
    expected = freedom[1] / (n - 1)
    return RowOrder(within / total, expected, float(max(min(0.0, chance), -9999.0)))
