"""Batches that go into a test function of Keras on TensorFlow."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from keras_dlbasic._backends.data_failed import DataFailedError


def shown(args: Any, count: int, take: Callable[[Any], None]) -> Any:
    """Show the batches that a test function is about to run on.

    The compiled function draws its batches itself. So they are drawn here, and it gets
    an iterator of these. As that has the same element specification, no other program
    is compiled.

    Args:
        args: Arguments of the test function: an iterator.
        count: Number of batches that it takes, fewer at the end of the data.
        take: Called with each batch; it must not raise.

    Returns:
        The arguments that it is to be called with: the same ones where there is no
        batch, or batches have parts that are no tensors.

    Raises:
        DataFailedError: If drawing a batch raises an error.
    """
    (iterator,) = args
    if not isinstance(iterator, tf.data.Iterator):
        return args  # replicas draw for themselves
    spec = iterator.element_spec
    if any(type(leaf) is not tf.TensorSpec for leaf in tf.nest.flatten(spec)):
        return args
    drawn: list[Any] = []
    # Made before anything is drawn: if it fails, no batch is lost. It asks for the
    # first batch only when it is run.
    replacement = iter(
        tf.data.Dataset.from_generator(lambda: iter(drawn), output_signature=spec)
    )
    for _ in range(count):
        try:
            drawn.append(next(iterator))
        except StopIteration:
            break
        except Exception as error:
            raise DataFailedError from error
    if not drawn:
        return args  # it says itself that the data have ended
    for batch in drawn:
        take(batch)
    return (replacement,)
