"""The gradient of a function of tensors, on JAX."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import keras
import numpy as np

from keras_dlbasic._backends.jax.compiled import compiled
from keras_dlbasic._backends.run_once import run_once

Scalar = Callable[[list[Any]], Any]


def gradient(function: Scalar, at: list[Any]) -> list[Any]:
    """Return the gradients of a scalar function with respect to its tensors."""
    return jax.grad(function)(at)


def compiled_gradient(
    model: Any, forward: Callable[..., Any], x: Any
) -> tuple[list[Any], Any]:
    """Return what `forward` gives, and the gradient of its scalar, compiled as one.

    Args:
        model: The model, whose state stays as it is.
        forward: Takes inputs and tensors, or None, to be added to what goes through the
            model, and runs it. Returns a scalar, the tensors that others can be added
            to, and whatever else is wanted.
        x: The inputs.

    Returns:
        The gradients with respect to what is added, at zero, and what else is wanted.
    """
    variables = [*model.trainable_variables, *model.non_trainable_variables]
    values = [variable.value for variable in variables]

    def pure(values: Any, x: Any, added: Any) -> Any:
        mapping = list(zip(variables, values, strict=True))
        with keras.StatelessScope(state_mapping=mapping, collect_losses=True):
            value, met, others = forward(x, added)
            return value, (met, others)

    # The shapes of what can be added to are found without computing or compiling.
    _, (shapes, _) = jax.eval_shape(lambda v, x: pure(v, x, None), values, x)
    nothing = jax.tree.map(_zeros, shapes)
    with run_once():
        taken = compiled(jax.grad(pure, argnums=2, has_aux=True))
    gradients, (_, others) = taken(values, x, nothing)
    return gradients, others


def shaped_like(function: Callable[[], Any]) -> Any:
    """Return tensors of the shapes that a function gives, without computing them.

    What cannot be traced is computed.
    """
    try:
        shapes = jax.eval_shape(function)
    except Exception:  # code of the user's that needs numbers
        return function()
    return jax.tree.map(_zeros, shapes)


def _zeros(shape: Any) -> Any:
    # made by NumPy: JAX would compile a function for each shape
    return jax.device_put(np.zeros(shape.shape, shape.dtype))


def loss_divisor() -> int:
    """Return the number by which Keras divides losses here."""
    return 1
