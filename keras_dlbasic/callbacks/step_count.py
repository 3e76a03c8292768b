"""How many steps of an epoch were trained."""

from __future__ import annotations

from collections.abc import Mapping
from threading import Lock
from typing import Any

HOOKS = (
    "on_train_batch_end",
    "on_batch_end",
    "on_test_batch_end",
    "on_predict_batch_end",
)
"""What Keras hands to other threads if a callback says that it may."""

_lock = Lock()


class StepCount:
    """Counts the steps of an epoch that came to their end.

    Of data of unknown length Keras begins one step more than there are batches, so that
    begun steps do not tell.

    Attributes:
        first: Number of steps of the fit before this epoch.
        n: Number of steps of this epoch so far.
    """

    def __init__(self) -> None:
        self.first = 0
        self.n = 0
        self._total: int | None = None

    @property
    def so_far(self) -> int:
        """Number of steps of the fit so far."""
        return self.first + self.n

    def epoch_begins(self, params: Mapping[str, Any] | None) -> None:
        """Begin an epoch of a fit with such `params`, as callbacks have them."""
        self.first, self.n = self.so_far, 0
        self._total = (params or {}).get("steps")

    def step_ends(self, batch: int) -> None:
        """Note the end of step `batch`, 0-based; in any thread, in any order."""
        # With `steps_per_execution`, the last number that Keras gives may lie beyond
        # the epoch. Threads may call in any order, so the largest number counts.
        n = batch + 1 if not self._total else min(batch + 1, self._total)
        with _lock:
            self.n = max(self.n, n)


class SafeUnlessOverridden:
    """`async_safe` of a callback whose only batch-end hook counts steps.

    Keras leaves batch-end hooks to other threads, so that steps need not be waited for,
    only if each callback that has one says that it may. A subclass that overrides one
    has not been asked.
    """

    def __set_name__(self, owner: Any, name: str) -> None:
        self._owner = owner

    def __get__(self, callback: Any, kind: Any = None) -> bool:
        kind = type(callback) if kind is None else kind
        return all(getattr(kind, hook) is getattr(self._owner, hook) for hook in HOOKS)
