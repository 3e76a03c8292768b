"""The record of a fit, and its logs by epoch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from keras_dlbasic._backends.guard import Guard
from keras_dlbasic.records import TrainingRecord


class FitLog:
    """Keeps the logs of a fit in a record; for monitors that need no gradients.

    Has the methods of a `FitWatch`, so that a monitor need not know which it has.

    Args:
        record: The record; a fit follows on what it has already.
        guard: Keeps errors from the fit.

    Attributes:
        record: The record of the fit.
        guard: Keeps errors of the callbacks from the fit, and reports one.
    """

    def __init__(self, record: TrainingRecord, guard: Guard) -> None:
        self.record = record
        self.guard = guard
        self._epoch_offset: int | None = None

    def epoch_begins(self, callback: Any, epoch: int) -> None:
        """Number the epochs from the first that begins."""
        self._number_from(epoch)

    def step_begins(self, callback: Any, step: int) -> None:
        """Take no notice of a step."""

    def due_steps(self, callback: Any) -> frozenset[int] | None:
        """Return the steps of the epoch that it has to know of, None for all."""
        return frozenset()

    def epoch_ends(
        self, callback: Any, epoch: int, logs: Mapping[str, Any], steps: int
    ) -> None:
        """Keep the logs of the epoch, of which `steps` were trained."""
        self.log(epoch, logs)  # each callback may have added some

    def log(self, epoch: int, logs: Mapping[str, Any]) -> None:
        """Keep logs of an epoch."""
        with self.guard.on_host():
            self.record.append_epoch(self.in_record(epoch), logs)

    def in_record(self, epoch: int) -> int:
        """Return the number in the record of an epoch of this fit."""
        return epoch + (self._epoch_offset or 0)

    def fit_ends(self, callback: Any) -> None:
        """Take no notice of the end."""

    def _number_from(self, epoch: int) -> None:
        """Have epochs follow on those of the record; the first of a fit counts."""
        if self._epoch_offset is None:
            self._epoch_offset = self.record.epoch_offset(epoch)
