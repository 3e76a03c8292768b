"""Losses, gradients and Hessian-vector products on JAX."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp

from keras_dlbasic._backends.jax.compiled import compiled


class Products:
    """Compiled derivatives; see `objective.Products`.

    Products are forward over reverse: about two gradients' time, and no more memory.
    Functions that define their own gradient (`jax.custom_vjp`) have no forward
    derivative; there they are reverse over reverse.
    """

    no_second_derivative = (NotImplementedError, TypeError, ValueError)

    def __init__(self, loss: Callable[..., Any], draws: bool) -> None:
        def value(*args: Any) -> Any:
            with jax.default_matmul_precision("float32"):
                return loss(*args)

        def gradient(weights: Sequence[Any], *rest: Any) -> Any:
            return jax.value_and_grad(value)(weights, *rest)

        def forward(directions: Sequence[Any], weights: Any, *rest: Any) -> Any:
            def at(weights: Any) -> Any:
                return gradient(weights, *rest)[1]

            return jax.jvp(at, (weights,), (directions,))[1]

        def reverse(directions: Sequence[Any], weights: Any, *rest: Any) -> Any:
            def along(weights: Any) -> Any:
                pairs = zip(gradient(weights, *rest)[1], directions, strict=True)
                return sum(jnp.vdot(part, direction) for part, direction in pairs)

            return jax.grad(along)(weights)

        self.loss = compiled(value)
        self.gradient = compiled(gradient)
        self._forward, self._reverse = jax.jit(forward), jax.jit(reverse)
        self._is_forward = True

    def product(self, *args: Any) -> Any:
        """Return the product of the Hessian and a direction."""
        if self._is_forward:
            try:
                return self._forward(*args)
            except TypeError:  # says JAX of a `custom_vjp`
                self._is_forward = False
        return self._reverse(*args)
