"""Seeds, as users give them."""

from __future__ import annotations

from collections.abc import Iterable


def seeds_of(seeds: int | Iterable[int]) -> tuple[int, ...]:
    """Return the seeds: those given, or this many from 0.

    Raises:
        ValueError: If there are none.
    """
    found = range(seeds) if isinstance(seeds, int) else seeds
    whole = tuple(int(seed) for seed in found)
    if not whole:
        raise ValueError(f"There must be at least one seed. Received: seeds={seeds!r}")
    return whole
