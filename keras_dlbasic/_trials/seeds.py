"""Seeds, as users give them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

from keras_dlbasic._arguments import as_list, check_whole, is_number


def seeds_of(seeds: int | Iterable[int], *, name: str = "seeds") -> tuple[int, ...]:
    """Return the seeds: those given, or this many from 0.

    Args:
        seeds: What was given.
        name: What the argument is called. Defaults to `"seeds"`.

    Raises:
        TypeError: If it is neither a number nor several.
        ValueError: If there are none.
    """
    if is_number(seeds) or isinstance(seeds, (str, bool)):
        check_whole(name, seeds)
        seeds = range(cast(int, seeds))
    whole = tuple(int(seed) for seed in as_list(name, seeds, "[0, 1, 2]"))
    if not whole:
        raise ValueError(f"There must be at least one seed. Received: {name}={seeds!r}")
    return whole
