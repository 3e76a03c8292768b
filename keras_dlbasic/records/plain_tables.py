"""What a record holds, as plain tables: columns by name."""

from __future__ import annotations

import numpy as np

from keras_dlbasic.records.record_data import MEASURES, SCALARS, RecordData


def tables(record: RecordData) -> list[str]:
    """Return the names of the tables of a record."""
    found = ["epochs"] if record.epochs else []
    found += ["steps"] if len(record.steps) else []
    return [*found, *record.tables]


def plain_table(record: RecordData, name: str) -> dict[str, np.ndarray]:
    """Return a table of a record as columns of one length, by name.

    Args:
        record: The record.
        name: `"epochs"`: a row for each epoch; `"steps"`: a row for each sampled step
            and variable; else the name of one of `record.tables`, with a row for each
            step and column. Steps and epochs are 0-based.

    Raises:
        KeyError: If there is no such table.

    Example:
    >>> from keras_dlbasic.records import TrainingRecord
    >>> from keras_dlbasic.records.plain_tables import plain_table
    >>> record = TrainingRecord.from_history({"loss": [0.9, 0.5]})
    >>> plain_table(record, "epochs")["epoch"]
    array([0, 1])
    """
    if name == "epochs":
        return dict(record.epochs)
    if name == "steps":
        return _steps(record)
    table = record.tables[name]
    n, k = len(table.steps), len(table.labels)
    return {
        "step": np.repeat(table.steps, k),
        "epoch": np.repeat(table.epochs, k),
        "layer": np.array(list(table.labels) * n, dtype=str),
        **{measure: table[measure].reshape(-1) for measure in table.measures},
    }


def _steps(record: RecordData) -> dict[str, np.ndarray]:
    n, k = len(record.steps), len(record.variables)
    table: dict[str, np.ndarray] = {
        "step": np.repeat(record.steps, k),
        "epoch": np.repeat(record.step_epochs, k),
        "variable": np.tile(np.arange(k), n),
    }
    for name in ("path", "layer", "role"):
        table[name] = np.array([getattr(v, name) for v in record.variables] * n, str)
    for name in MEASURES:
        table[name] = getattr(record, name).reshape(-1)
    for name in (*SCALARS[1:], "global_gradient_norm"):
        table[name] = np.repeat(getattr(record, name), k)
    return table
