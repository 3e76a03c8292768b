"""The gradient of a function of tensors, on PyTorch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

Scalar = Callable[[list[Any]], Any]


def gradient(function: Scalar, at: list[Any]) -> list[Any]:
    """Return the gradients of a scalar function with respect to its tensors."""
    with torch.enable_grad():
        leaves = [tensor.detach().requires_grad_(True) for tensor in at]
        value = function(leaves)
        gradients = torch.autograd.grad(value, leaves, allow_unused=True)
    return [
        torch.zeros_like(leaf) if gradient is None else gradient
        for gradient, leaf in zip(gradients, leaves, strict=True)
    ]


def shaped_like(function: Callable[[], Any]) -> Any:
    """Return tensors of the shapes that a function gives: here what it gives."""
    return function()


def loss_divisor() -> int:
    """Return the number by which Keras divides losses here."""
    return 1
