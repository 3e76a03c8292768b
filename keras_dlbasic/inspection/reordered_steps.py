"""Sequences whose steps are put in another order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

MIN_STEPS = 3
MIN_SHARE = 0.95
"""Share of the rows in which something has to hold."""

Leaves = list[np.ndarray]


@dataclass(frozen=True)
class Reordered:
    """Inputs whose steps are in another order.

    Attributes:
        leaves: The inputs.
        order: The places from which the steps of the longest sequence were taken.
    """

    leaves: Leaves
    order: np.ndarray


def reordered_steps(
    leaves: Leaves, sequences: Sequence[int], steps: int | None = None
) -> Reordered | None:
    """Put the steps of all sequences in another order, those of a length in the same.

    What says at which place a step stands keeps its own: numbers of positions and times
    increase along the steps.

    Args:
        leaves: The inputs, samples first.
        sequences: Places of those whose second axis is time.
        steps: Number of their steps, from the first, that are no padding in any row.
            Defaults to None: all.

    Returns:
        None where there is no sequence, where other inputs stand beside them, where
        columns are fields of their own instead of steps, or where another order makes
        next to no difference to the data.

    Example:
    >>> import numpy as np
    >>> from keras_dlbasic.inspection.reordered_steps import reordered_steps
    >>> words = np.random.default_rng(0).integers(0, 9, (4, 6))
    >>> places = np.tile(np.arange(6), (4, 1))
    >>> found = reordered_steps([words, places], (0, 1))
    >>> bool((found.leaves[0] == words[:, found.order]).all())
    True
    >>> bool((found.leaves[1] == places).all())
    True
    """
    if not sequences or len(sequences) < len(leaves):
        return None
    if any(_are_fields(leaf) for leaf in leaves):
        return None
    changed = [_reordered(leaf, steps) for leaf in leaves]
    longest = max(leaf.shape[1] for leaf in leaves)
    differs = [_differing_rows(a, b) for a, b in zip(leaves, changed, strict=True)]
    if max(differs) < MIN_SHARE:
        return None
    return Reordered(changed, _order(longest, steps))


def _order(n: int, steps: int | None) -> np.ndarray:
    used = n if steps is None else min(n, steps)
    order = np.arange(n)
    order[:used] = np.random.default_rng(0).permutation(used)
    return order


def _reordered(leaf: np.ndarray, steps: int | None) -> np.ndarray:
    used = leaf.shape[1] if steps is None else min(leaf.shape[1], steps)
    if used < MIN_STEPS:
        return leaf
    changed = leaf[:, _order(leaf.shape[1], steps)].copy()
    columns = leaf.reshape(*leaf.shape[:2], -1)
    tells_place = _tells_place(columns[:, :used])
    changed.reshape(columns.shape)[..., tells_place] = columns[..., tells_place]
    return changed


def _tells_place(columns: np.ndarray) -> np.ndarray:
    """Return which columns of `[n, steps, columns]` tell the place of a step."""
    rises = (columns[:, 1:] > columns[:, :-1]).all(axis=1)
    falls = (columns[:, 1:] < columns[:, :-1]).all(axis=1)
    is_same = (columns == columns[:1]).all(axis=(0, 1))
    varies = (columns[:, 1:] != columns[:, :-1]).any(axis=(0, 1))
    told: np.ndarray = np.maximum(rises.mean(axis=0), falls.mean(axis=0)) >= MIN_SHARE
    return told | (is_same & varies)


def _are_fields(leaf: np.ndarray) -> bool:
    """Return whether each column has numbers of its own, as fields of a table have."""
    if leaf.ndim != 2 or (leaf == leaf[:1]).all():  # numbers of positions
        return False
    spans = np.stack([leaf.min(axis=0), leaf.max(axis=0)], axis=1)
    spans = spans[np.argsort(spans[:, 0], kind="stable")]
    apart = spans[1:, 0] > spans[:-1, 1]
    return len(spans) > 1 and bool(apart.mean() > 0.5)


def _differing_rows(leaf: np.ndarray, changed: np.ndarray) -> float:
    return float((leaf != changed).reshape(len(leaf), -1).any(axis=1).mean())
