"""Losses, gradients and Hessian-vector products on TensorFlow."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import tensorflow as tf

ZERO = tf.UnconnectedGradients.ZERO


class Products:
    """Compiled derivatives; see `objective.Products`.

    Products are gradients of the gradient along a direction.
    """

    no_second_derivative = (LookupError, NotImplementedError, tf.errors.OpError)

    def __init__(self, loss: Callable[..., Any], draws: bool) -> None:
        loss = _of_one_replica(loss)

        def gradient(weights: Sequence[Any], *rest: Any) -> Any:
            with tf.GradientTape() as tape:
                tape.watch(weights)
                value = loss(weights, *rest)
            found = tape.gradient(value, weights, unconnected_gradients=ZERO)
            # of embeddings come slices
            return value, [tf.convert_to_tensor(part) for part in found]

        def product(directions: Sequence[Any], weights: Any, *rest: Any) -> Any:
            # The gradient of the product (gradient · direction) is the product of the
            # Hessian and the direction: no Hessian is ever formed.
            with tf.GradientTape() as tape:
                tape.watch(weights)
                parts = gradient(weights, *rest)[1]
                along = tf.add_n(
                    [
                        tf.reduce_sum(part * direction)
                        for part, direction in zip(parts, directions, strict=True)
                    ]
                )
            found = tape.gradient(along, weights, unconnected_gradients=ZERO)
            return [tf.convert_to_tensor(part) for part in found]

        self.loss = _Compiled(loss)
        self.gradient = _Compiled(gradient)
        self.product = _Compiled(product)


def _of_one_replica(loss: Callable[..., Any]) -> Callable[..., Any]:
    """Undo that Keras divides losses by the number of replicas.

    It does so wherever a strategy is in scope, also where nothing is distributed.
    """

    def whole(*args: Any) -> Any:
        replicas = tf.distribute.get_strategy().num_replicas_in_sync
        value = loss(*args)
        return value if replicas == 1 else value * tf.cast(replicas, value.dtype)

    return whole


@contextmanager
def _exact_moments() -> Iterator[None]:
    """Have `tf.nn.moments` traced as it is defined.

    Its variance stops the gradient at the mean. That leaves the first derivative as it
    is but makes the second one wrong, in layer normalization for example by 13 %.
    """
    original = tf.nn.moments

    def moments(x: Any, axes: Any, *args: Any, **kwargs: Any) -> Any:
        keepdims = kwargs.get("keepdims", False)
        if args or set(kwargs) - {"keepdims", "name"} or x.dtype == tf.float16:
            return original(x, axes, *args, **kwargs)
        mean = tf.reduce_mean(x, axes, keepdims=True)
        variance = tf.reduce_mean(tf.math.squared_difference(x, mean), axes, keepdims)
        return mean if keepdims else tf.squeeze(mean, axes), variance

    tf.nn.moments = moments
    try:
        yield
    finally:
        tf.nn.moments = original


class _Compiled:
    """A function that is compiled for each shape of its arguments.

    As `tf.function`, but silent: that warns of retracing when many objectives are made.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function
        self._known: dict[Any, Any] = {}

    def __call__(self, *args: Any) -> Any:
        leaves = tf.nest.flatten(args)
        tensors = [leaf for leaf in leaves if leaf is not None]
        key = tuple((tensor.shape, tensor.dtype) for tensor in tensors)
        if key not in self._known:
            structure = tf.nest.map_structure(lambda leaf: leaf is not None, args)

            # A concrete function takes tensors only. The arguments that were None are
            # put back in at their places.
            def function(*tensors: Any) -> Any:
                given = iter(tensors)
                present = tf.nest.flatten(structure)
                filled = [next(given) if is_there else None for is_there in present]
                return self._function(*tf.nest.pack_sequence_as(structure, filled))

            compiled = tf.function(function, autograph=False)
            with _exact_moments():
                self._known[key] = compiled.get_concrete_function(*tensors)
        return self._known[key](*tensors)
