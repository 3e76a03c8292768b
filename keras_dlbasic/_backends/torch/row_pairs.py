"""Targets that are compared with the outputs of all rows, seen as a step runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch.overrides import TorchFunctionMode

from keras_dlbasic._backends.guard import Guard
from keras_dlbasic._backends.row_pairs import short_side

SUBTRACTING = {
    "__rsub__",
    "huber_loss",
    "l1_loss",
    "mse_loss",
    "rsub",
    "smooth_l1_loss",
    "sub",
    "subtract",
}
CONVERTING = {"clone", "contiguous", "detach", "double", "float", "to", "type"}
"""Functions whose result has the entries of their first argument."""


@contextmanager
def row_pairs_seen(
    targets: list[Any], sink: Callable[[str], None], guard: Guard
) -> Iterator[None]:
    """Tell which side lacks an axis where the outputs of all rows meet each target.

    Args:
        targets: Targets of the batch.
        sink: Called with `"targets"` or `"outputs"`.
        guard: Catches errors of the watching; those of the step pass.
    """
    with _Seeing(targets, sink, guard):
        yield


class _Seeing(TorchFunctionMode):
    def __init__(
        self, targets: list[Any], sink: Callable[[str], None], guard: Guard
    ) -> None:
        super().__init__()
        self._known = [t for t in targets if isinstance(t, torch.Tensor)]
        self._sink, self._guard = sink, guard

    def __torch_function__(
        self, func: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        with self._guard.in_step():
            self._see(getattr(func, "__name__", ""), args, result)
        return result

    def _see(self, name: str, args: Any, result: Any) -> None:
        if name in CONVERTING:
            is_known = bool(args) and self._is_target(args[0])
            if is_known and getattr(result, "shape", None) == args[0].shape:
                self._known.append(result)
        elif name in SUBTRACTING and len(args) > 1 and torch.is_grad_enabled():
            one, other = args[:2]
            for target, output in ((one, other), (other, one)):
                if self._is_target(target) and getattr(output, "requires_grad", False):
                    side = short_side(tuple(target.shape), tuple(output.shape))
                    if side is not None:
                        self._sink(side)

    def _is_target(self, tensor: Any) -> bool:
        return any(tensor is known for known in self._known)
