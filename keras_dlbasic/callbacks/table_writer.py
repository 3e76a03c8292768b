"""Rows of a monitor, written to a table of a record."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from keras_dlbasic.records import LayerTable, TrainingRecord
from keras_dlbasic.records.table_row import append_row

Columns = Mapping[str, Mapping[str, float]]
"""By label of the layer, what was measured there."""


class TableWriter:
    """Writes what a monitor measures in a fit; a record may go on from an earlier one.

    To be made when the first epoch begins and all callbacks know their record.

    Args:
        record: The record.
        name: The name of the table.
        measures: What is measured.
    """

    def __init__(
        self, record: TrainingRecord, name: str, measures: Iterable[str]
    ) -> None:
        self._record = record
        self._name = name
        self._measures = tuple(measures)
        # The record may know of more steps than the table, whose monitor was not in all
        # fits, or of fewer, if no gradients were watched: the later one counts.
        table = record.tables.get(name)
        last_step = int(table.steps[-1]) if table else 0
        self._step_offset = max(last_step, record.trained_steps)

    def append(self, step: int, epoch: int, columns: Columns) -> LayerTable | None:
        """Add a row, to a new table if the layers have changed.

        Args:
            step: Number of steps of the fit so far.
            epoch: Number of the epoch in the record.
            columns: What was measured.

        Returns:
            The table, or None if it has a row of that step already.
        """
        return append_row(
            self._record.tables,
            self._name,
            self._measures,
            self._step_offset + step,
            epoch,
            columns,
        )
