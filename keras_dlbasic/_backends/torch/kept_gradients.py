"""Gradients of earlier steps that a step of your own has not cleared."""

from __future__ import annotations

from typing import Any

import torch

from keras_dlbasic._backends.guard import Guard
from keras_dlbasic._backends.update import Update

MOST = 6
"""Number of updates that are followed: gradients pile up after all, or after none."""

MOST_PASSES = 64
"""Number of backward passes for which an update is followed, at most."""


class KeptGradients:
    """Follows one weight after some updates in a user's `train_step`.

    `backward` adds to the gradients that are there. If a step does not clear them, each
    update takes the sum over all batches so far. Gradients that are collected over some
    batches and cleared after the update are fine, and so are gradients of a part of a
    model that other parts leave behind and that are cleared before its own turn.

    Attributes:
        shares: Of updates whose gradient the next one took again: the norm of that
            gradient relative to the norm of what was added to it.
    """

    def __init__(self) -> None:
        self.shares: list[Any] = []
        self._followed: list[_Followed] = []

    def updated(self, update: Update, optimizer: Any, guard: Guard) -> None:
        """Follow the gradient of the last weight of an update.

        Args:
            update: The update.
            optimizer: The optimizer that made it.
            guard: Catches errors while it is followed.
        """
        pairs = zip(update.variables, update.gradients, strict=True)
        known = [v.value for v, g in pairs if g is not None and v.value.requires_grad]
        if known and len(self._followed) < MOST:
            followed = _Followed(known[-1], optimizer, self.shares, guard)
            self._followed.append(followed)

    def release(self) -> None:
        """Let go of weights that are still followed."""
        for followed in self._followed:
            followed.release()


class _Followed:
    """A gradient after an update, until it is cleared or the next update is over."""

    def __init__(
        self, value: torch.Tensor, optimizer: Any, shares: list[Any], guard: Guard
    ) -> None:
        self._value, self._optimizer, self._shares = value, optimizer, shares
        self._guard = guard
        self._iterations = int(optimizer.iterations)
        self._share: Any = None
        self._passes = 0
        self._handle: Any = value.register_hook(self._arrives)

    def _arrives(self, added: torch.Tensor) -> None:
        """Look at what is there when a gradient is about to be added."""
        if self._handle is None:
            return
        with self._guard.in_step(), torch.no_grad():
            if self._is_over(added):
                self.release()

    def release(self) -> None:
        """Do not look again."""
        if self._handle is not None:
            self._handle.remove()
        self._handle = None

    def _is_over(self, added: torch.Tensor) -> bool:
        there = self._value.grad
        self._passes += 1
        if there is None or self._passes > MOST_PASSES:
            return True
        norm = torch.linalg.vector_norm(there.detach())
        if not bool(norm > 0):
            return True
        if self._share is None:
            self._share = norm / torch.linalg.vector_norm(added.detach())
        elif int(self._optimizer.iterations) > self._iterations:
            self._shares.append(self._share)
            return True
        return False
