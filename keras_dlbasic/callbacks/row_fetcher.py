"""The rows of sampled steps, on their way from the device to a record."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from keras_dlbasic._backends.guard import Guard
from keras_dlbasic._backends.row_layout import RowLayouts
from keras_dlbasic.gradients import describe_variables
from keras_dlbasic.gradients.backend_tap import row_to_numpy
from keras_dlbasic.records import MEASURES, TrainingRecord
from keras_dlbasic.records.record_data import global_norm
from keras_dlbasic.records.table_row import append_row

PENDING_ROWS = 64
"""This many rows may wait on the device before they are fetched."""


class RowFetcher:
    """Keeps rows on the device, then reads them and appends them to a record.

    Args:
        model: The model that is trained.
        guard: Keeps errors from the fit.
    """

    def __init__(self, model: Any, guard: Guard) -> None:
        self._model = model
        self._guard = guard
        self._pending: list[tuple[int, int, Any, RowLayouts]] = []
        self._listeners: list[Callable[[int, np.ndarray], None]] = []
        self._variables: list[int] | None = None
        self._has_warned = False
        self._norms: list[float] = []

    def listen(self, listener: Callable[[int, np.ndarray], None]) -> None:
        """Have `listener` called with the number and measures of each row."""
        self._listeners.append(listener)

    def add(self, step: int, epoch: int, row: Any, layouts: RowLayouts) -> None:
        """Keep the row of a step, which need not have been computed yet."""
        self._pending.append((step, epoch, row, layouts))

    @property
    def is_due(self) -> bool:
        """Whether someone waits for the rows, or too many wait on the device."""
        return bool(self._listeners) or len(self._pending) >= PENDING_ROWS

    def fetch(self, record: TrainingRecord) -> None:
        """Append what waits to `record`."""
        # Taken out first: a row that cannot be read must not be met again in the next
        # epoch, and fail there once more.
        pending, self._pending = self._pending, []
        for step, epoch, on_device, layouts in pending:
            with self._guard.on_host():
                # this waits for the device: all before it only queued work there
                row = row_to_numpy(on_device)
                layout = layouts.of(row)
                if self._is_of_record(record, layout.variables):
                    self._append(record, step, epoch, *layout.read(row))
                    _append_rates(record, step, epoch, layout.learning_rates(row))

    def take_mean_norm(self) -> float:
        """Return the mean global norm since this was asked last, NaN if none came."""
        norms, self._norms = self._norms, []
        return float(np.mean(norms)) if norms else float("nan")

    def _is_of_record(self, record: TrainingRecord, variables: Sequence[Any]) -> bool:
        """Return whether the record is about `variables`; the first row sets them."""
        ids = [id(variable) for variable in variables]
        # The first row decides, and not `model.trainable_variables`: a step of the
        # user's may train some of them, in any order. Identity counts, since names may
        # repeat.
        if self._variables is None:
            self._variables = ids
            if not len(record.steps):
                record.set_variables(describe_variables(self._model, variables))
        if ids == self._variables and len(ids) == len(record.variables):
            return True
        if not self._has_warned:
            self._has_warned = True
            self._guard.say(
                f"A training step updated {len(ids)} variables, but the record has "
                f"{len(record.variables)}, so the step is not recorded. Call "
                "`model.compile(...)` and start a new `fit` to train other variables.",
            )
        return False

    def _append(
        self,
        record: TrainingRecord,
        step: int,
        epoch: int,
        scalars: dict[str, float],
        measures: np.ndarray,
    ) -> None:
        has_units = [variable.has_units for variable in record.variables]
        zero_units = MEASURES.index("zero_unit_fraction")
        measures[zero_units, np.logical_not(has_units)] = np.nan
        record.append_step(step, {"epoch": epoch, **scalars}, measures)
        if np.isfinite(scalars["batch_size"]):
            known = record.facts.batch_size or 0
            record.note(batch_size=max(known, int(scalars["batch_size"])))
        if not scalars["skipped"]:
            norms, non_finite = measures[0], measures[MEASURES.index("non_finite")]
            self._norms += global_norm(norms[None], non_finite[None]).tolist()
        for listener in self._listeners:
            listener(step, measures)


def _append_rates(
    record: TrainingRecord, step: int, epoch: int, rates: np.ndarray | None
) -> None:
    """Keep the rate of each variable in a table, where they differ."""
    if rates is None:
        return
    paths = [variable.path for variable in record.variables]
    columns = {
        path: {"learning_rate": float(rate)}
        for path, rate in zip(paths, rates, strict=True)
    }
    append_row(
        record.tables, "learning_rates", ("learning_rate",), step, epoch, columns
    )
