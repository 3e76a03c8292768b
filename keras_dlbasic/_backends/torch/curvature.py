"""Losses, gradients and Hessian-vector products on PyTorch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel


class Products:
    """Derivatives; see `objective.Products`.

    Products are gradients of the gradient along a direction.
    """

    no_second_derivative = (RuntimeError, NotImplementedError)

    def __init__(self, loss: Callable[..., Any], draws: bool) -> None:
        self._pure, self._draws = loss, draws
        self._is_checked = False

    def loss(self, weights: Sequence[Any], *rest: Any) -> Any:
        """Return the loss."""
        with torch.no_grad():
            return self._loss(weights, *rest)

    def gradient(self, weights: Sequence[Any], *rest: Any) -> Any:
        """Return the loss and its gradient."""
        value, parts, _ = self._graph(weights, rest, create_graph=False)
        return value.detach(), parts

    def product(self, directions: Sequence[Any], weights: Any, *rest: Any) -> Any:
        """Return the product of the Hessian and `directions`."""
        _, parts, leaves = self._graph(weights, rest, create_graph=True)
        if not self._is_checked:
            _check_differentiable(parts)
            self._is_checked = True
        # Only parts of the gradient that depend on the weights can be differentiated
        # again. The second derivative of the others is zero.
        pairs = [
            (part, direction)
            for part, direction in zip(parts, directions, strict=True)
            if part.requires_grad
        ]
        if not pairs:  # the loss is linear
            return [torch.zeros_like(leaf) for leaf in leaves]
        found = torch.autograd.grad(
            [part for part, _ in pairs],
            leaves,
            grad_outputs=[direction for _, direction in pairs],
            allow_unused=True,
        )
        return _filled(found, leaves)

    def _loss(self, *args: Any) -> Any:
        if not self._draws:
            return self._pure(*args)
        # Keras' dropout draws from PyTorch's own generator
        with torch.random.fork_rng():
            torch.manual_seed(0)
            return self._pure(*args)

    def _graph(
        self, weights: Sequence[Any], rest: Any, *, create_graph: bool
    ) -> tuple[Any, list[Any], list[Any]]:
        # the fast kernels of attention have no second derivative
        with torch.enable_grad(), sdpa_kernel(SDPBackend.MATH):
            leaves = [w.detach().requires_grad_(True) for w in weights]
            value = self._loss(leaves, *rest)
            if not value.requires_grad:
                return value, [torch.zeros_like(leaf) for leaf in leaves], leaves
            found = torch.autograd.grad(
                value, leaves, create_graph=create_graph, allow_unused=True
            )
        return value, _filled(found, leaves), leaves


def _filled(found: Sequence[Any], leaves: Sequence[Any]) -> list[Any]:
    return [
        torch.zeros_like(leaf) if part is None else part
        for part, leaf in zip(found, leaves, strict=True)
    ]


def _check_differentiable(parts: Sequence[Any]) -> None:
    """Refuse gradients that cannot be differentiated again.

    PyTorch says so only where it meets the operation on its way; one that is
    `once_differentiable` cuts the way and gives zeros.

    Raises:
        NotImplementedError: If there is such an operation.
    """
    waiting = [part.grad_fn for part in parts if part.grad_fn is not None]
    seen = set(waiting)
    while waiting:
        node = waiting.pop()
        if type(node).__name__ in ("Error", "NotImplemented"):
            raise NotImplementedError("an operation that is `once_differentiable`")
        for following, _ in node.next_functions:
            if following is not None and following not in seen:
                seen.add(following)
                waiting.append(following)
