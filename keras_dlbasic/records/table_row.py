"""Rows of the tables of a record."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping

from keras_dlbasic.records.layer_table import LayerTable


def append_row(
    tables: MutableMapping[str, LayerTable],
    name: str,
    measures: tuple[str, ...],
    step: int,
    epoch: int,
    columns: Mapping[str, Mapping[str, float]],
) -> LayerTable | None:
    """Add a row to the table `name`, to a new one if its layers have changed.

    Args:
        tables: The tables of a record.
        name: The name of the table.
        measures: What is measured; NaN where a column lacks it.
        step: Number of steps trained so far.
        epoch: Number of the epoch, 0-based.
        columns: By label of the layer, what was measured there.

    Returns:
        The table, or None if it has a row of that step already.
    """
    labels = tuple(columns)
    table = tables.get(name)
    if table is None or (table.labels, table.measures) != (labels, measures):
        table = tables[name] = LayerTable(labels, measures)
    # Steps ascend in a table, so a second look at the same step adds nothing.
    if table and table.steps[-1] >= step:
        return None
    values = {
        measure: [column.get(measure, float("nan")) for column in columns.values()]
        for measure in measures
    }
    table.append(step, epoch, values)
    return table
