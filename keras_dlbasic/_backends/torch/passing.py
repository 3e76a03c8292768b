"""Batches that go into a test function of Keras on PyTorch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def shown(args: Any, count: int, take: Callable[[Any], None]) -> Any:
    """Show the batches that a test function is about to run on.

    Args:
        args: Arguments of the test function: a list of batches.
        count: Number of batches that it takes; not needed here.
        take: Called with each batch.

    Returns:
        The arguments that it is to be called with.
    """
    for batch in args[0]:
        take(batch)
    return args
