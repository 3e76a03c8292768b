"""Which tensors to reduce together.

Deep models have many tensors of few shapes, and small operations cost more to start
than to run.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

STACKED_ENTRIES = 2**16
"""Larger tensors are reduced by themselves: putting them together would cost more."""


def groups_of_shapes(
    shapes: Sequence[tuple[Any, ...] | None],
) -> tuple[list[list[int]], list[int]]:
    """Put small tensors of a shape together.

    Args:
        shapes: Shapes of the tensors; None for what is unknown, whole or in part.

    Returns:
        The places of the tensors of each group, and the place of each tensor in what
        the groups give one after the other.
    """
    # The key of a small tensor is its shape, which others share. That of a large one is
    # its place, which none shares: it is a group of its own.
    groups: dict[object, list[int]] = {}
    for place, shape in enumerate(shapes):
        is_small = (
            shape is not None and None not in shape and prod(shape) <= STACKED_ENTRIES
        )
        groups.setdefault(shape if is_small else place, []).append(place)
    # The groups' results come one after the other. Sorting the places by where they
    # came gives, for each tensor, where to find its own.
    order = [place for places in groups.values() for place in places]
    return list(groups.values()), sorted(range(len(order)), key=order.__getitem__)
