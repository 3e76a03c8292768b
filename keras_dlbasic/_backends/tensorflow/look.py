"""A model run beside its training, compiled, on TensorFlow."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf

from keras_dlbasic._backends.by_unit import by_unit, pilot_samples

PIECE = 2**17
"""Larger tensors are summed up in pieces of about this many entries, for the cache."""


class Program:
    """A compiled function of a model and inputs, which leaves the model as it is.

    Args:
        function: Takes the model and inputs, runs the model and returns tensors. It is
            called once, to be traced.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function
        self._compiled: Any = None

    def __call__(self, model: Any, x: Any) -> Any:
        """Return what the function gives for a model as it is now."""
        tensors = [tf.convert_to_tensor(leaf) for leaf in tf.nest.flatten(x)]
        if self._compiled is None:
            known = weakref.ref(
                model
            )  # what is kept for a model must not keep it alive

            def traced(*leaves: Any) -> Any:
                # variables are no arguments here: the graph reads them as it is run
                with keras.StatelessScope():
                    packed = tf.nest.pack_sequence_as(x, list(leaves))
                    return self._function(known(), packed)

            # as Keras traces a step: control flow of the user's is Python's
            compiled = tf.function(traced, autograph=False)
            self._compiled = compiled.get_concrete_function(*tensors)
        return self._compiled(*tensors)


def unit_sums(
    outputs: Any, preactivations: Any, levels: tuple[Any, Any], axis: int
) -> Any:
    """Return the sums of which `UnitMoments.of_sums` is made, `[4 or 5, n_units]`."""
    shape, unit_axis = by_unit(tuple(outputs.shape), axis)
    wide = tf.float64 if outputs.dtype == tf.float64 else tf.float32
    x = tf.cast(tf.reshape(outputs, shape), wide)
    z = None
    if levels != (None, None):
        z = tf.cast(tf.reshape(preactivations, shape), wide)
    # A pilot mean from a few samples is subtracted before squaring. Squares of raw
    # activations with a large mean would lose the digits of the variance.
    positions = 3 - unit_axis
    first = x[: pilot_samples(shape[positions])]
    pilot = tf.reduce_mean(first, (0, positions), keepdims=True)
    n, entries = shape[0], shape[1] * shape[2]
    # All pieces have the same number of rows, since `map_fn` stacks their results and
    # traces one function for all of them.
    rows = _divisor(n, max(1, PIECE // max(1, entries)))

    def piece(begin: Any) -> Any:
        part = x[begin : begin + rows]
        at = None if z is None else z[begin : begin + rows]
        return _sums(part, at, pilot, levels, positions)

    if rows == n:
        sums = piece(0)
    else:
        # TensorFlow runs operations one by one: whole, each would write all its results
        # to memory and the next read them again.
        begins = tf.range(0, n, rows)
        sums = tf.reduce_sum(tf.map_fn(piece, begins, fn_output_signature=wide), axis=0)
    return tf.concat([tf.reshape(pilot, (1, -1)), sums], axis=0)


def _sums(x: Any, z: Any, pilot: Any, levels: tuple[Any, Any], positions: int) -> Any:
    difference = x - pilot
    parts = [difference, tf.abs(x), tf.square(difference)]
    if z is not None:
        low, high = levels
        is_low = False if low is None else z < low
        is_high = False if high is None else z > high
        parts.append(tf.cast(tf.logical_or(is_low, is_high), x.dtype))
    # in two stages, for the accuracy of long sums
    return tf.stack([tf.reduce_sum(tf.reduce_sum(p, positions), 0) for p in parts])


def _divisor(n: int, most: int) -> int:
    """Return the greatest divisor of `n` that is at most `most`."""
    return next(size for size in range(max(1, min(n, most)), 0, -1) if n % size == 0)


def joined(parts: list[Any]) -> Any:
    """Return a vector of all entries of some tensors."""
    wide = tf.float64 if any(p.dtype == tf.float64 for p in parts) else tf.float32
    return tf.concat([tf.reshape(tf.cast(part, wide), [-1]) for part in parts], axis=0)
