"""The tap on JAX."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import jax
import jax.numpy as jnp
import keras
import numpy as np

try:
    from jax.extend.core import get_opaque_trace_state
except ImportError:  # before JAX 0.8
    from jax.core import get_opaque_trace_state

from keras_dlbasic._backends.guard import Guard
from keras_dlbasic._backends.intercept import update_of, wrapped_method
from keras_dlbasic._backends.row_layout import UNKNOWN
from keras_dlbasic._backends.stacking import groups_of_shapes
from keras_dlbasic._backends.step_function import remade_train_function
from keras_dlbasic._backends.update import Update


class JaxKernels:
    """Reductions over lists of arrays; see `measures.Kernels`."""

    ops = keras.ops

    def beside(self, value: Any, tensor: Any) -> Any:
        return jnp.asarray(value, jnp.float32)

    def dense(self, gradient: Any) -> Any:
        return jnp.asarray(gradient, jnp.float32)

    def differences(
        self, after: list[Any], before: list[Any]
    ) -> Callable[[], list[Any]]:
        def differences() -> list[Any]:
            # computed where they are reduced: kept they would need memory
            pairs = zip(after, before, strict=True)
            return [_difference(a, b) for a, b in pairs]

        return differences

    def squares(self, tensors: list[Any]) -> Any:
        return _reduce(tensors, _sums_of_squares)

    def norms(self, tensors: list[Any], scales: Any) -> Any:
        scaled = [x * scales[place] for place, x in enumerate(tensors)]
        return jnp.sqrt(self.squares(scaled))

    def max_abs(self, tensors: list[Any]) -> Any:
        return _reduce(tensors, lambda x, axes: jnp.max(jnp.abs(x), axes))

    def non_finite(self, tensors: list[Any]) -> Any:
        return _reduce(tensors, lambda x, axes: _count(~jnp.isfinite(x), axes))

    def zeros(self, tensors: list[Any]) -> Any:
        return _reduce(tensors, lambda x, axes: _count(x == 0, axes))

    def clip_squares(self, gradients: list[Any]) -> Any:
        return self.squares([self.dense(g) for g in gradients])

    def clipped_squares(self, gradients: list[Any], limit: Any) -> Any:
        return self.squares([jnp.clip(self.dense(g), -limit, limit) for g in gradients])

    def cond(
        self,
        test: Callable[..., Any],
        operands: tuple[Any, ...],
        if_true: Callable[[], Any],
        if_false: Callable[[], Any],
    ) -> Any:
        return jax.lax.cond(test(jnp, *operands), if_true, if_false)

    def row(self, loss: Any, parts: list[Any]) -> Any:
        loss, *parts = [
            jnp.reshape(jnp.asarray(part, jnp.float32), -1) for part in (loss, *parts)
        ]
        known = jnp.concatenate(parts)
        known = jnp.where(jnp.isnan(known), jnp.float32(UNKNOWN), known)
        return jnp.concatenate([loss, known])


class Tap:
    """How JAX' training step is tapped; see `tap.BackendTap`."""

    kernels = JaxKernels()
    changes_in_place = False

    def __init__(self) -> None:
        self.guard = Guard()

    def intercept(self, optimizer: Any, sink: Callable[[Update], None]) -> Any:
        """Report each update that `optimizer` makes in the context to `sink`."""
        place = self.place()

        def make(original: Callable[..., Any]) -> Callable[..., Any]:
            def stateless_apply(
                optimizer_variables: Any, grads: Any, trainable_variables: Any
            ) -> Any:
                grads, before = list(grads), list(trainable_variables)
                result = original(optimizer_variables, grads, before)
                with self.guard.in_step():
                    # what is traced within a function of the user's stays there
                    if grads and self.place() == place and not self.guard.has_ended:
                        values = _observed(grads, before, optimizer_variables, *result)
                        sink(_update(optimizer, *values))
                return result

            return stateless_apply

        return wrapped_method(optimizer, "stateless_apply", make)

    def wrap_step(self, measured: Callable[..., Any]) -> Any:
        """Return a `train_step` that runs `measured`; see `tap`."""

        def train_step(state: Any, data: Any) -> Any:
            return measured(lambda original: original(state, data), data)

        return train_step

    def with_row(self, outputs: Any, key: str, row: Any) -> Any:
        """Return logs and state of a step with a row added to the logs."""
        logs, state = outputs
        return {**logs, key: row}, state

    def tapped_function(self, model: Any, train_step: Any) -> Any:
        """Return a train function that runs `train_step`."""
        return remade_train_function(model, train_step)

    def step_ended(self, logs: Any) -> None:
        """Let go of what was kept for a step: nothing."""

    def args_traced_in(
        self, model: Any, args: Any, tracing: Callable[[Any], Any], stack: ExitStack
    ) -> Any:
        """Return arguments with which a train function traces in contexts."""
        # JAX traces when the compiled step is first called, deep within Keras. All that
        # is ours around it is the iterator: a batch is asked for just before each step,
        # so the context is entered as it is given, and left when the next one is asked
        # for.
        if model.run_eagerly or not model.jit_compile:
            return args
        state, iterator = args

        def batches() -> Iterator[Any]:
            # reading the data may draw, too: it stays outside
            for batch in iterator:
                stack.enter_context(tracing(batch))
                yield batch
                stack.close()

        return state, batches()

    def is_traced(self, function: Any) -> bool:
        """Return whether a train function has been traced: nobody asks."""
        return True

    def trace(self, function: Any, args: Any) -> None:
        """Do nothing: Keras gives models their weights before the first step."""

    def drawing_operation(self, function: Any, args: Any) -> str | None:
        """Name an operation whose random state is in a train function: none has."""
        return None

    def place(self) -> Any:
        """Return the function being traced: what is traced elsewhere stays there."""
        return get_opaque_trace_state(convention="keras_dlbasic")

    def without_gradients(self, function: Callable[[], Any]) -> Any:
        """Call a function; nothing here is differentiated unless asked for."""
        return function()

    def release(self) -> None:
        """Let go of memory kept between steps: none."""

    def batch_size(self, leaf: Any) -> Any:
        """Return the number of rows of a part of the batch."""
        return leaf.shape[0]

    def gathered(self, rows: Any) -> Any:
        """Return rows of all processes, which each can read."""
        if jax.process_count() == 1:
            return rows  # arrays are whole here
        distribution = keras.distribution.distribution()
        if distribution is None:
            return rows
        mesh = distribution.device_mesh.backend_mesh
        whole = jax.sharding.NamedSharding(mesh, jax.sharding.PartitionSpec())
        return jax.lax.with_sharding_constraint(rows, whole)

    def of_all_processes(self, model: Any, row: Any) -> Any:
        """Return the row of a step: arrays are those of all processes."""
        return row


def _update(
    optimizer: Any, grads: Any, before: Any, old: Any, after: Any, new: Any
) -> Update:
    """Describe an update from values, those of the optimizer `old` and `new`."""
    # The step is a pure function: the optimizer's variables are arguments, and their
    # values before and after are both at hand. In the scope `optimizer.iterations` and
    # the learning rate read as they were then.
    with _state(optimizer, old):
        update = update_of(optimizer, list(optimizer._trainable_variables), grads)
        update.learning_rate = _value(update.learning_rate)
        update.scale = _value(update.scale)
        iterations = _value(optimizer.iterations)
    with _state(optimizer, new):
        update.is_update = iterations != _value(optimizer.iterations)
    update.before, update.after = before, after
    return update


def _observed(grads: Any, *values: Any) -> Any:
    """Return values to read, so that XLA compiles the rest as if nobody read them.

    Reading a value changes what XLA fuses, and with it bits of what is trained. Behind
    a barrier that ends. But a barrier is itself a user, which keeps XLA from moving a
    transposition of a gradient past the optimizer's arithmetic, and so changes the
    order in which clipping sums it up. A product with a one that XLA cannot see through
    is arithmetic like the optimizer's, and moves along.
    """
    one = jax.lax.optimization_barrier(jnp.ones((), jnp.float32))
    grads = [g * one.astype(g.dtype) for g in grads]
    return jax.lax.optimization_barrier((grads, *values))


def _state(optimizer: Any, values: Any) -> Any:
    # Keras gives the state of an optimizer as a list in the order of its variables.
    mapping = list(zip(optimizer.variables, values, strict=True))
    return keras.StatelessScope(state_mapping=mapping)


def _value(variable: Any) -> Any:
    return jnp.asarray(keras.ops.convert_to_tensor(variable))


def _difference(a: jax.Array, b: jax.Array) -> jax.Array:
    wide = jnp.promote_types(a.dtype, jnp.float32)
    return jnp.asarray(a.astype(wide) - b.astype(wide), jnp.float32)


def _reduce(
    tensors: list[jax.Array], rows: Callable[[jax.Array, tuple[int, ...]], jax.Array]
) -> jax.Array:
    """Reduce each tensor to a number; small ones of a shape together."""
    groups, order = groups_of_shapes([x.shape for x in tensors])
    parts = []
    for places in groups:
        stacked = jnp.stack([tensors[place] for place in places])
        parts.append(rows(stacked, tuple(range(1, stacked.ndim))))
    return jnp.concatenate(parts)[np.array(order)]


def _sums_of_squares(x: jax.Array, axes: tuple[int, ...]) -> jax.Array:
    squares = jnp.square(x)
    if len(axes) > 1:  # in two stages, for the accuracy of long sums
        squares = jnp.sum(squares, axis=-1)
    return jnp.sum(squares, axes[:-1] or axes)


def _count(x: jax.Array, axes: tuple[int, ...]) -> jax.Array:
    return jnp.sum(x, axes, dtype=jnp.float32)
