"""A model run beside its training, compiled, on JAX."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import keras

from keras_dlbasic._backends.by_unit import by_unit, pilot_samples
from keras_dlbasic._backends.jax.compiled import compiled


class Program:
    """A compiled function of a model and inputs, which leaves the model as it is.

    Args:
        function: Takes the model and inputs, runs the model and returns tensors. It is
            called once, to be traced.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        self._model: Any = None

        # The weights are arguments of the compiled function. As constants they would
        # stay those of the first call.
        def traced(values: Any, x: Any) -> Any:
            model = self._model
            mapping = list(zip(_variables(model), values, strict=True))
            with keras.StatelessScope(state_mapping=mapping):
                return function(model, x)

        self._compiled = compiled(traced)

    def __call__(self, model: Any, x: Any) -> Any:
        """Return what the function gives for a model as it is now."""
        self._model = model
        try:
            values = [variable.value for variable in _variables(model)]
            return self._compiled(values, x)
        finally:
            self._model = None  # what is kept for a model must not keep it alive


def _variables(model: Any) -> list[Any]:
    return [*model.trainable_variables, *model.non_trainable_variables]


def unit_sums(
    outputs: Any, preactivations: Any, levels: tuple[Any, Any], axis: int
) -> Any:
    """Return the sums of which `UnitMoments.of_sums` is made, `[4 or 5, n_units]`."""
    wide = jnp.promote_types(jnp.asarray(outputs).dtype, jnp.float32)
    shape, unit_axis = by_unit(outputs.shape, axis)
    x = jnp.reshape(outputs, shape).astype(wide)
    # A pilot mean from a few samples is subtracted before squaring. Squares of raw
    # activations with a large mean would lose the digits of the variance.
    positions = 3 - unit_axis
    first = x[: pilot_samples(shape[positions])]
    pilot = jnp.mean(first, (0, positions), keepdims=True)
    parts = [x - pilot, jnp.abs(x), jnp.square(x - pilot)]
    low, high = levels
    if low is not None or high is not None:
        z = jnp.reshape(preactivations, shape)
        is_low = False if low is None else z < low
        is_high = False if high is None else z > high
        parts.append(jnp.asarray(is_low | is_high, wide))
    # One reduction of all parts reads the activations once. Two stages keep the digits
    # that one long sum in single precision would lose.
    sums = _added(_added(tuple(parts), positions), 0)
    return jnp.stack([jnp.reshape(pilot, -1), *sums])


def _added(parts: tuple[Any, ...], axis: int) -> Any:
    zero = jnp.zeros((), parts[0].dtype)

    def add(one: Any, other: Any) -> Any:
        return tuple(a + b for a, b in zip(one, other, strict=True))

    return jax.lax.reduce(parts, (zero,) * len(parts), add, (axis,))


def joined(parts: list[Any]) -> Any:
    """Return a vector of all entries of some tensors."""
    return jnp.concatenate([jnp.reshape(part, -1) for part in parts])
