"""The tap on TensorFlow."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from keras_dlbasic.gradients.intercept import update_of, wrapped_method
from keras_dlbasic.gradients.measures import Update
from keras_dlbasic.gradients.step_function import remade_train_function

STACKED_ENTRIES = 65_536
"""Tensors of one shape with at most so many entries are reduced in one operation."""


class TensorFlowKernels:
    """Reductions over lists of tensors; see `measures.Kernels`."""

    def dense(self, gradient: Any) -> Any:  # noqa: D102
        if isinstance(gradient, tf.IndexedSlices):
            rows = tf.math.unsorted_segment_sum(
                gradient.values, gradient.indices, gradient.dense_shape[0]
            )
            return tf.cast(rows, tf.float32)
        return tf.cast(gradient, tf.float32)

    def subtract(self, after: list[Any], before: list[Any]) -> list[Any]:  # noqa: D102
        return [tf.cast(a, tf.float32) - b for a, b in zip(after, before, strict=True)]

    def reread(  # noqa: D102
        self, before: list[Any], after: list[Any], deltas: list[Any]
    ) -> list[Any]:
        return before + deltas

    def squares(self, tensors: list[Any]) -> Any:  # noqa: D102
        return _reduce(
            tensors,
            lambda x: 2.0 * tf.nn.l2_loss(x),
            lambda x: tf.reduce_sum(tf.square(x), axis=1),
        )

    def norms(self, tensors: list[Any]) -> Any:  # noqa: D102
        def rows(x: Any) -> Any:
            largest = tf.reduce_max(tf.abs(x), axis=1, keepdims=True)
            usable = tf.math.is_finite(largest) & (largest > 0)
            unit = tf.where(usable, largest, 1.0)
            squares = tf.reduce_sum(tf.square(x / unit), axis=1)
            return tf.sqrt(squares) * unit[:, 0]

        return _reduce(tensors, lambda x: rows(tf.reshape(x, (1, -1)))[0], rows)

    def max_abs(self, tensors: list[Any]) -> Any:  # noqa: D102
        return _reduce(
            tensors,
            lambda x: tf.maximum(tf.reduce_max(x), -tf.reduce_min(x)),
            lambda x: tf.reduce_max(tf.abs(x), axis=1),
        )

    def non_finite(self, tensors: list[Any]) -> Any:  # noqa: D102
        def rows(x: Any) -> Any:
            wrong = tf.logical_not(tf.math.is_finite(x))
            return tf.reduce_sum(tf.cast(wrong, tf.float32), axis=1)

        return _reduce(tensors, lambda x: rows(tf.reshape(x, (1, -1)))[0], rows)

    def zero_share(self, tensors: list[Any]) -> Any:  # noqa: D102
        def rows(x: Any) -> Any:
            return tf.reduce_mean(tf.cast(tf.equal(x, 0.0), tf.float32), axis=1)

        return _reduce(tensors, lambda x: rows(tf.reshape(x, (1, -1)))[0], rows)

    def clip_squares(self, gradients: list[Any]) -> Any:  # noqa: D102
        # Keras clips the rows of sparse gradients before repeated ones are summed
        return self.squares([tf.cast(_values(g), tf.float32) for g in gradients])

    def clipped_squares(self, gradients: list[Any], limit: Any) -> Any:  # noqa: D102
        clipped = []
        for gradient in gradients:
            values = tf.cast(_values(gradient), tf.float32)
            values = tf.clip_by_value(values, -limit, limit)
            if isinstance(gradient, tf.IndexedSlices):
                values = tf.IndexedSlices(
                    values, gradient.indices, gradient.dense_shape
                )
            clipped.append(self.dense(values))
        return self.squares(clipped)

    def cond(  # noqa: D102
        self, predicate: Any, if_true: Callable[[], Any], if_false: Callable[[], Any]
    ) -> Any:
        return tf.cond(predicate, if_true, if_false)


class TensorFlowTap:
    """How TensorFlow's training step is tapped; see `tap.BackendTap`."""

    kernels = TensorFlowKernels()

    def intercept(self, optimizer: Any, sink: Callable[[Update], None]) -> Any:
        """Report each update that `optimizer` makes in the context to `sink`."""
        place = self.place()

        def make(original: Callable[..., Any]) -> Callable[..., Any]:
            def apply(grads: Any, trainable_variables: Any = None) -> Any:
                if trainable_variables is None:
                    variables = list(optimizer._trainable_variables)
                else:
                    trainable_variables = variables = list(trainable_variables)
                grads = list(grads)
                if not grads or self.place() is not place:
                    # within a function of the user's, whose tensors stay there
                    return original(grads, trainable_variables)
                update = update_of(optimizer, variables, grads)
                update.before = [tf.identity(v.value) for v in variables]
                if update.accumulated is not None:
                    update.accumulated = [tf.identity(a) for a in update.accumulated]
                iterations = tf.identity(optimizer.iterations)
                result = original(grads, trainable_variables)
                update.after = [tf.identity(v.value) for v in variables]
                update.is_update = tf.not_equal(
                    iterations, tf.identity(optimizer.iterations)
                )
                sink(update)
                return result

            return apply

        return wrapped_method(optimizer, "apply", make)

    def wrap_step(self, measured: Callable[..., Any]) -> Any:
        """Return a `train_step` that adds a row to its logs; see `tap`."""

        def train_step(data: Any) -> Any:
            logs, key, row = measured(lambda original: original(data), data)
            return {**logs, key: row}

        return train_step

    def tapped_function(self, model: Any, train_step: Any, plain: Any) -> Any:
        """Return a train function that runs `train_step`."""
        return remade_train_function(model, train_step)

    def pop(self, outputs: Any, key: str) -> Any:
        """Take the row out of what the train function returned."""
        return outputs.pop(key)

    def place(self) -> Any:
        """Return the function being traced: what is traced elsewhere stays there."""
        return tf.compat.v1.get_default_graph()

    def release(self) -> None:
        """Let go of memory kept between steps: none."""

    def batch_size(self, leaf: Any) -> Any:
        """Return the number of rows of a part of the batch."""
        return tf.shape(leaf)[0]


def _values(gradient: Any) -> Any:
    return gradient.values if isinstance(gradient, tf.IndexedSlices) else gradient


def _reduce(
    tensors: list[Any],
    one: Callable[[Any], Any],
    rows: Callable[[Any], Any],
) -> Any:
    """Reduce each tensor to a number; small ones of a shape together.

    Deep models have many tensors of few shapes, and small operations cost more to start
    than to run.
    """
    groups: dict[tuple[int, ...], list[int]] = {}
    for place, tensor in enumerate(tensors):
        size = tensor.shape.num_elements()
        if size is not None and size <= STACKED_ENTRIES:
            groups.setdefault(tuple(tensor.shape), []).append(place)
        else:
            groups[(-1, place)] = [place]
    order: list[int] = []
    parts = []
    for places in groups.values():
        order += places
        if len(places) == 1:
            parts.append(tf.reshape(one(tensors[places[0]]), (1,)))
        else:
            stacked = tf.stack([tensors[place] for place in places])
            parts.append(rows(tf.reshape(stacked, (len(places), -1))))
    inverse = sorted(range(len(order)), key=order.__getitem__)
    return tf.gather(tf.concat(parts, axis=0), inverse)
