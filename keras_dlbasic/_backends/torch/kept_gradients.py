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
        self._met: tuple[Any, Any] | None = None
        self._handles = [
            value.register_hook(self._arrives),
            value.register_post_accumulate_grad_hook(self._added),
        ]

    def _arrives(self, added: torch.Tensor) -> None:
        """Note what is there when a gradient arrives, which may be added to it."""
        there = self._value.grad
        if not self._handles or there is None:
            self._met = None
            return
        with self._guard.in_step(), torch.no_grad():
            norm = torch.linalg.vector_norm
            self._met = norm(there.detach()), norm(added.detach())

    def _added(self, value: torch.Tensor) -> None:
        """Look at what a gradient was added to; `autograd.grad` adds to nothing."""
        met, self._met = self._met, None
        if not self._handles:
            return
        with self._guard.in_step(), torch.no_grad():
            if self._is_over(met):
                self.release()

    def release(self) -> None:
        """Do not look again."""
        for handle in self._handles:
            handle.remove()
        self._handles = []

    def _is_over(self, met: tuple[Any, Any] | None) -> bool:
        self._passes += 1
        if met is None or self._passes > MOST_PASSES or not bool(met[0] > 0):
            return True
        if self._share is None:
            self._share = met[0] / met[1]
        elif int(self._optimizer.iterations) > self._iterations:
            self._shares.append(self._share)
            return True
        return False
