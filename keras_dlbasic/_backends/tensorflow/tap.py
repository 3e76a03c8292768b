"""The tap on TensorFlow."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from itertools import chain
from typing import Any

import keras
import tensorflow as tf

from keras_dlbasic._backends.guard import Guard
from keras_dlbasic._backends.intercept import update_of, wrapped_method
from keras_dlbasic._backends.row_layout import UNKNOWN
from keras_dlbasic._backends.stacking import groups_of_shapes
from keras_dlbasic._backends.step_function import remade_train_function
from keras_dlbasic._backends.update import Clipping, Update


class TensorFlowKernels:
    """Reductions over lists of tensors; see `measures.Kernels`."""

    ops = keras.ops

    def beside(self, value: Any, tensor: Any) -> Any:
        return tf.cast(value, tf.float32)

    def dense(self, gradient: Any) -> Any:
        # An embedding's gradient holds a row for each time a token was looked up. The
        # norm is that of the sum, so repeated rows are added up first.
        if isinstance(gradient, tf.IndexedSlices):
            rows = tf.math.unsorted_segment_sum(
                gradient.values, gradient.indices, gradient.dense_shape[0]
            )
            return tf.cast(rows, tf.float32)
        return tf.cast(gradient, tf.float32)

    def differences(
        self, after: list[Any], before: list[Any]
    ) -> Callable[[], list[Any]]:
        pairs = zip(after, before, strict=True)
        differences = [_difference(a, b) for a, b in pairs]
        return lambda: differences

    def squares(self, tensors: list[Any]) -> Any:
        # `l2_loss` is half the sum of squares, in one operation.
        return _reduce(
            tensors,
            lambda x: 2.0 * tf.nn.l2_loss(x),
            lambda x: tf.reduce_sum(tf.square(x), axis=1),
        )

    def norms(self, tensors: list[Any], scales: Any) -> Any:
        scaled = [
            x * scale for x, scale in zip(tensors, tf.unstack(scales), strict=True)
        ]
        return tf.sqrt(self.squares(scaled))

    def max_abs(self, tensors: list[Any]) -> Any:
        # The extremes of a large tensor give its largest absolute entry without a copy
        # of the tensor in absolute values.
        return _reduce(
            tensors,
            lambda x: tf.maximum(tf.reduce_max(x), -tf.reduce_min(x)),
            lambda x: tf.reduce_max(tf.abs(x), axis=1),
        )

    def non_finite(self, tensors: list[Any]) -> Any:
        def rows(x: Any) -> Any:
            wrong = tf.logical_not(tf.math.is_finite(x))
            return tf.reduce_sum(tf.cast(wrong, tf.float32), axis=1)

        return _reduce(tensors, lambda x: rows(tf.reshape(x, (1, -1)))[0], rows)

    def zeros(self, tensors: list[Any]) -> Any:
        def rows(x: Any) -> Any:
            return tf.reduce_sum(tf.cast(tf.equal(x, 0.0), tf.float32), axis=1)

        return _reduce(tensors, lambda x: rows(tf.reshape(x, (1, -1)))[0], rows)

    def clip_squares(self, gradients: list[Any]) -> Any:
        # Keras clips the rows of sparse gradients before repeated ones are summed
        return self.squares([tf.cast(_values(g), tf.float32) for g in gradients])

    def clipped_squares(self, gradients: list[Any], limit: Any) -> Any:
        return self.squares([self.clip_entries(g, limit) for g in gradients])

    def clip_entries(self, gradient: Any, limit: Any) -> Any:
        """Return a gradient with its entries clipped, dense."""
        values = tf.cast(_values(gradient), tf.float32)
        values = tf.clip_by_value(values, -limit, limit)
        if isinstance(gradient, tf.IndexedSlices):
            values = tf.IndexedSlices(values, gradient.indices, gradient.dense_shape)
        return self.dense(values)

    def cond(
        self,
        test: Callable[..., Any],
        operands: tuple[Any, ...],
        if_true: Callable[[], Any],
        if_false: Callable[[], Any],
    ) -> Any:
        return tf.cond(test(keras.ops, *operands), if_true, if_false)

    def row(self, loss: Any, parts: list[Any]) -> Any:
        loss, *parts = [
            tf.reshape(tf.cast(part, tf.float32), (-1,)) for part in (loss, *parts)
        ]
        # Only the loss may stay NaN. Replicas may differ in it, and the average of a
        # NaN marker and a number would be neither.
        known = tf.concat(parts, axis=0)
        known = tf.where(tf.math.is_nan(known), UNKNOWN, known)
        return tf.concat([loss, known], axis=0)


class Tap:
    """How TensorFlow's training step is tapped; see `tap.BackendTap`."""

    kernels = TensorFlowKernels()
    changes_in_place = False

    def __init__(self) -> None:
        self.guard = Guard()

    def intercept(self, optimizer: Any, sink: Callable[[Update], None]) -> Any:
        """Report each update that `optimizer` makes in the context to `sink`."""
        place = self.place()

        def make(original: Callable[..., Any]) -> Callable[..., Any]:
            def apply(grads: Any, trainable_variables: Any = None) -> Any:
                grads = list(grads)
                if trainable_variables is not None:
                    trainable_variables = list(trainable_variables)
                update = None
                with self.guard.in_step():
                    # what is traced within a function of the user's stays there
                    if grads and self.place() is place and not self.guard.has_ended:
                        update = self._before(optimizer, trainable_variables, grads)
                result = original(grads, trainable_variables)
                with self.guard.in_step():
                    if update is not None:
                        _add_after(optimizer, update)
                        sink(update)
                return result

            return apply

        return wrapped_method(optimizer, "apply", make)

    def _before(self, optimizer: Any, variables: Any, gradients: list[Any]) -> Update:
        """Return what is known of an update before it is made."""
        if variables is None:
            variables = list(optimizer._trainable_variables)
        update = update_of(optimizer, variables, gradients)
        if _replicas() > 1:
            _join_replicas(self.kernels, update)
        elif not tf.executing_eagerly():
            update.gradients = _reread(gradients, optimizer.iterations)
        # Reading a variable gives its value when the operation runs, which may be after
        # the update. A copy at this place is ordered before the assignment.
        update.before = [tf.identity(v.value) for v in variables]
        if update.accumulated is not None:
            update.accumulated = [tf.identity(a) for a in update.accumulated]
        update.is_update = tf.identity(optimizer.iterations)
        return update

    def wrap_step(self, measured: Callable[..., Any]) -> Any:
        """Return a `train_step` that runs `measured`; see `tap`."""

        def train_step(data: Any) -> Any:
            return measured(lambda original: original(data), data)

        return train_step

    def with_row(self, outputs: Any, key: str, row: Any) -> Any:
        """Return the logs of a step with a row added."""
        return {**outputs, key: row}

    def tapped_function(self, model: Any, train_step: Any) -> Any:
        """Return a train function that runs `train_step`."""
        return remade_train_function(model, train_step)

    def step_ended(self, logs: Any) -> None:
        """Let go of what was kept for a step: nothing."""

    def args_traced_in(
        self, model: Any, args: Any, tracing: Callable[[Any], Any], stack: ExitStack
    ) -> Any:
        """Return arguments as they are: it is traced before it is called."""
        return args

    def is_traced(self, function: Any) -> bool:
        """Return whether a train function has been traced, so that it may have run."""
        # from Keras 3.16 on, single steps do not go through the compiled iteration
        step = _in_closure(function, STEP)
        parts = (_part(function), getattr(step, "__wrapped__", step))
        counts = [getattr(p, "experimental_get_tracing_count", None) for p in parts]
        known = [count() for count in counts if count is not None]
        return any(known) or not known

    def trace(self, function: Any, args: Any) -> None:
        """Trace a train function, if it is one that is traced."""
        compiled = _compiled(function, args)
        if compiled is not None:
            compiled.get_concrete_function(*args)

    def drawing_operation(self, function: Any, args: Any) -> str | None:
        """Name an operation of a train function whose random state only it has.

        Those that draw anew in each process (without any seed) do not count.
        """
        compiled = _compiled(function, args)
        if compiled is None:
            return None
        graph = compiled.get_concrete_function(*args).graph.as_graph_def()
        # branches, loops and functions within functions are in the library
        nodes = chain(graph.node, *(f.node_def for f in graph.library.function))
        for node in nodes:
            # An operation with both seeds zero is seeded at random by TensorFlow: what
            # it draws differs from run to run anyway.
            seeds = [node.attr[name].i for name in SEEDS if name in node.attr]
            if len(seeds) == len(SEEDS) and any(seeds):
                return f"{node.op} ('{node.name}')"
        return None

    def place(self) -> Any:
        """Return the function being traced: what is traced elsewhere stays there."""
        return tf.compat.v1.get_default_graph()

    def without_gradients(self, function: Callable[[], Any]) -> Any:
        """Call a function; nothing here is differentiated unless asked for."""
        return function()

    def release(self) -> None:
        """Let go of memory kept between steps: none."""

    def batch_size(self, leaf: Any) -> Any:
        """Return the number of rows of a part of the batch, in all replicas."""
        # Keras averages what replicas return
        return tf.shape(leaf)[0] * _replicas()

    def gathered(self, rows: Any) -> Any:
        """Return rows of all replicas, given those of one."""
        if _replicas() == 1:
            return rows
        if not (rows.dtype.is_floating or rows.dtype.is_integer):
            raise TypeError("Keras averages what replicas return")
        if rows.dtype.is_integer:
            rows = tf.cast(rows, tf.int64)  # their sum must fit
        return tf.distribute.get_replica_context().all_gather(rows, axis=0)

    def of_all_processes(self, model: Any, row: Any) -> Any:
        """Return the row of a step: there is one process."""
        return row


def _add_after(optimizer: Any, update: Update) -> None:
    """Add to an update what is known after it was made."""
    # Likewise ordered behind the update: TensorFlow runs what is stateful in the order
    # in which it was traced.
    update.after = [tf.identity(v.value) for v in update.variables]
    iterations = tf.identity(optimizer.iterations)
    update.is_update = tf.not_equal(update.is_update, iterations)


COMPILED = "multi_step_on_iterator"
STEP = "one_step_on_data"
"""What Keras calls the compiled part of a train function."""

SEEDS = ("seed", "seed2")
"""Attributes of operations that keep a random state in their kernel."""


def _part(function: Any) -> Any:
    """Return what Keras compiles of a train function; None if it is not of Keras."""
    # Keras keeps the compiled part in the closure of its train function and nowhere
    # else. Looked up by name, it is found whatever else the closure holds.
    return _in_closure(function, COMPILED)


def _in_closure(function: Any, name: str) -> Any:
    """Return what a function knows by a name; None if it has none of that name."""
    names = getattr(getattr(function, "__code__", None), "co_freevars", ())
    cells = dict(zip(names, getattr(function, "__closure__", None) or (), strict=True))
    return cells[name].cell_contents if name in cells else None


def _compiled(function: Any, args: Any) -> Any:
    """Return the compiled part of a train function that these arguments go to."""
    compiled = _part(function)
    iterators = (tf.data.Iterator, tf.distribute.DistributedIterator)
    is_compiled = hasattr(compiled, "get_concrete_function")
    return compiled if is_compiled and isinstance(args[0], iterators) else None


def _replicas() -> int:
    context = tf.distribute.get_replica_context()
    return 1 if context is None else context.num_replicas_in_sync


def _reread(gradients: list[Any], iterations: Any) -> list[Any]:
    """Return gradients to read, so that TensorFlow optimizes the rest as ever.

    Where a gradient is a product with one reader, TensorFlow's graph optimizer joins
    it with the optimizer's product with the learning rate and chooses anew what is
    multiplied first, which changes bits. A second reader ends that. So such products
    are made once more, with a factor of one to keep them apart from the first.
    """
    one = tf.cast(tf.greater_equal(tf.identity(iterations), 0), tf.float32)

    def again(tensor: Any) -> Any:
        if not isinstance(tensor, tf.Tensor) or tensor.op.type != "Mul":
            return tensor
        left, right = tensor.op.inputs
        return again(left) * tf.cast(one, left.dtype) * again(right)

    return [again(gradient) for gradient in gradients]


def _join_replicas(kernels: TensorFlowKernels, update: Update) -> None:
    """Make the gradients of this replica those of all of them.

    Keras clips in each replica before it sums, which is done again here to see how
    much of the sum is left.
    """
    # Each replica has the gradient of its own part of the batch. What is trained with
    # is the sum, so the record is about the sum; the parts give the noise scale.
    gradients = update.gradients
    update.gradients = _sum_of_replicas(gradients)
    update.replica_square = _mean_of_squares(kernels, gradients)
    if update.clipping.kind is not None:
        scale = tf.cast(update.scale, tf.float32)
        clipped = _clipped(kernels, update.clipping, gradients, scale)
        update.clipped = _sum_of_replicas(clipped)


def _sum_of_replicas(gradients: list[Any]) -> list[Any]:
    present = [g for g in gradients if g is not None]
    context = tf.distribute.get_replica_context()
    summed = iter(context.all_reduce(tf.distribute.ReduceOp.SUM, present))
    return [None if g is None else next(summed) for g in gradients]


def _mean_of_squares(kernels: TensorFlowKernels, gradients: list[Any]) -> Any:
    """Return the squared norm of a replica's own gradient, averaged over replicas.

    Keras divides the loss of each replica by their number, so that the sum is the mean.
    """
    dense = [kernels.dense(g) for g in gradients if g is not None]
    own = tf.reduce_sum(kernels.squares(dense)) * float(_replicas()) ** 2
    context = tf.distribute.get_replica_context()
    return context.all_reduce(tf.distribute.ReduceOp.MEAN, own)


def _clipped(
    kernels: TensorFlowKernels, clipping: Clipping, gradients: list[Any], scale: Any
) -> list[Any]:
    """Clip gradients as Keras does, after dividing them by `scale`."""
    places = [place for place, g in enumerate(gradients) if g is not None]
    present = [gradients[place] for place in places]
    limit = clipping.limit
    if clipping.kind == "clipvalue":
        found = [kernels.clip_entries(g, limit * scale) / scale for g in present]
    else:
        # Keras divides by the loss scale first and clips then. One factor per gradient
        # does both.
        norms = tf.sqrt(kernels.clip_squares(present)) / scale
        if clipping.kind == "global_clipnorm":
            norms = tf.ones_like(norms) * tf.norm(norms)
        factors = tf.unstack(limit / tf.maximum(norms, limit) / scale)
        found = [
            kernels.dense(g) * factor
            for g, factor in zip(present, factors, strict=True)
        ]
    clipped: list[Any] = [None] * len(gradients)
    for place, gradient in zip(places, found, strict=True):
        clipped[place] = gradient
    return clipped


def _values(gradient: Any) -> Any:
    return gradient.values if isinstance(gradient, tf.IndexedSlices) else gradient


def _difference(a: Any, b: Any) -> Any:
    wide = tf.float64 if a.dtype == tf.float64 else tf.float32
    return tf.cast(tf.cast(a, wide) - tf.cast(b, wide), tf.float32)


def _reduce(
    tensors: list[Any],
    one: Callable[[Any], Any],
    rows: Callable[[Any], Any],
) -> Any:
    """Reduce each tensor to a number; small ones of a shape together."""
    groups, order = groups_of_shapes(
        [tuple(x.shape) if x.shape.rank is not None else None for x in tensors]
    )
    parts = []
    for places in groups:
        if len(places) == 1:
            parts.append(tf.reshape(one(tensors[places[0]]), (1,)))
        else:
            stacked = tf.stack([tensors[place] for place in places])
            parts.append(rows(tf.reshape(stacked, (len(places), -1))))
    return tf.gather(tf.concat(parts, axis=0), order)
