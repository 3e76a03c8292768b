"""Batches that go into a test function of Keras on JAX."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any


def shown(args: Any, count: int, take: Callable[[Any], None]) -> Any:
    """Show the batches that a test function is about to run on.

    Args:
        args: Arguments of the test function: the state of the model, and an iterator.
        count: Number of batches that it takes; not needed here.
        take: Called with each batch as it is drawn.

    Returns:
        The arguments that it is to be called with.
    """
    state, iterator = args

    def batches() -> Iterator[Any]:
        for batch in iterator:
            take(batch)
            yield batch

    return state, batches()
