"""Batches that go into a test function of Keras on JAX."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import keras

from keras_dlbasic._backends.keras_version import keras_version

STACKS = (keras_version() or (0, 0)) >= (3, 16)
"""Whether Keras draws the batches of `steps_per_execution` steps at once."""


def shown(args: Any, count: int, take: Callable[[Any], None]) -> Any:
    """Show the batches that a test function is about to run on.

    Args:
        args: Arguments of the test function: the state of the model, and an iterator.
        count: Number of batches that it takes.
        take: Called with each batch as it is drawn.

    Returns:
        The arguments that it is to be called with.
    """
    state, iterator = args
    is_stacked = count > 1 and STACKS

    def batches() -> Iterator[Any]:
        for drawn in iterator:
            for batch in _parts(drawn) if is_stacked else (drawn,):
                take(batch)
            yield drawn

    return state, batches()


def _parts(drawn: Any) -> list[Any]:
    """Return the batches that were drawn at once: stacked, or the last as a list."""
    if type(drawn).__name__ == "PartialBatchList":  # not any list: a batch may be one
        return list(drawn)
    leaves = [leaf for leaf in keras.tree.flatten(drawn) if leaf is not None]

    def part(place: int) -> Any:
        return keras.tree.map_structure(
            lambda leaf: None if leaf is None else leaf[place], drawn
        )

    return [part(place) for place in range(len(leaves[0]))]
