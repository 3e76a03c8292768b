"""Records as files: one `.npz`, readable with NumPy alone."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from keras_dlbasic.records.atomic_file import atomic_file
from keras_dlbasic.records.existing_file import check_file
from keras_dlbasic.records.json_text import json_text
from keras_dlbasic.records.layer_table import LayerTable
from keras_dlbasic.records.printable import printable_parts
from keras_dlbasic.records.record_data import MEASURES, SCALARS, RecordData
from keras_dlbasic.records.variable_info import VariableInfo

Record = TypeVar("Record", bound=RecordData)

FORMAT = "keras_dlbasic.TrainingRecord"
FORMAT_VERSION = 1
LATER_SCALARS = ("replica_gradient_norm",)
"""What files of older versions do not have: it is NaN."""


def write_npz(record: RecordData, path: Path) -> None:
    """Write `record` to `path`, whole or not at all."""
    arrays: dict[str, np.ndarray] = {
        "format": np.array(FORMAT),
        "format_version": np.array(FORMAT_VERSION),
        "about": np.array(_json(_about(record))),
        "steps": record.steps,
        "scalars": record._rows.scalars,
        "measures": record._rows.measures,
    }
    for number, (name, values) in enumerate(record.epochs.items()):
        arrays[f"epochs_{number}"] = values
        arrays[f"epochs_{number}_name"] = np.array(name)
    for number, (name, table) in enumerate(record.tables.items()):
        arrays[f"table_{number}"] = np.array(
            _json([name, table.labels, table.measures])
        )
        arrays[f"table_{number}_steps"] = table.steps
        arrays[f"table_{number}_epochs"] = table.epochs
        arrays[f"table_{number}_values"] = table._rows.measures
    with atomic_file(path) as file:
        np.savez_compressed(file, **arrays)  # type: ignore[arg-type]


def read_npz(path: Path, record_type: type[Record]) -> Record:
    """Read the record at `path`; it becomes a `record_type`."""
    check_file(path)
    try:
        with path.open("rb") as handle:
            file = np.load(handle, allow_pickle=False)
            arrays = {name: file[name] for name in file.files}
    except AttributeError as error:  # a bare array: np.load gave no archive
        raise _foreign(path) from error
    except Exception as error:  # damaged archives fail in many ways, also for memory
        # NumPy's advice to unpickle what it cannot read would run code of the file
        why = "" if "pickle" in str(error) else f" ({type(error).__name__}: {error})"
        raise ValueError(
            f"{str(path)!r} cannot be read as a record: it is truncated or not a "
            f"`.npz` file{why}. Expected a file written by `TrainingRecord.save`; use "
            "`TrainingRecord.from_csv` for tables."
        ) from None
    if str(arrays.get("format")) != FORMAT:
        raise _foreign(path)
    version = arrays.get("format_version", np.zeros(()))
    if version.size != 1 or version.dtype.kind not in "iu":
        raise _foreign(path)
    if version > FORMAT_VERSION:
        raise ValueError(
            f"{str(path)!r} has format version {version}; this keras_dlbasic reads up "
            f"to version {FORMAT_VERSION}. Install a newer keras_dlbasic."
        )
    try:
        return _record(arrays, record_type)
    except Exception as error:
        raise ValueError(
            f"{str(path)!r} is a damaged record: {type(error).__name__}: {error}"
        ) from error


def _json(value: Any) -> str:
    return json_text(value, other=repr, keep_non_finite=True)


def _about(record: RecordData) -> dict[str, Any]:
    return {
        "variables": [asdict(variable) for variable in record.variables],
        "facts": record.facts.to_dict(),
        "trained_steps": record.trained_steps,
        "measures": MEASURES,
        "scalars": SCALARS,
    }


def _record(arrays: dict[str, np.ndarray], record_type: type[Record]) -> Record:
    about = printable_parts(json.loads(str(arrays["about"])))
    variables = [
        VariableInfo(**{**entry, "shape": tuple(entry["shape"])})
        for entry in about["variables"]
    ]
    record = record_type(variables, about["facts"])
    steps, scalars, measures = (arrays[k] for k in ("steps", "scalars", "measures"))
    if not len(steps) == len(scalars) == len(measures):
        raise ValueError("its arrays differ in length")
    scalar_names = about["scalars"]
    missing = set(SCALARS) - set(scalar_names) - set(LATER_SCALARS)
    if missing:
        raise ValueError(f"it lacks {sorted(missing)}")
    # Measures are found by name: another version may have more of them, or another
    # order.
    measure_rows = [about["measures"].index(name) for name in MEASURES]
    for step, scalar, measure in zip(steps, scalars, measures, strict=True):
        named = dict(zip(scalar_names, scalar, strict=True))
        record.append_step(int(step), named, measure[measure_rows])
    record.trained_steps = int(about["trained_steps"])
    columns = {}
    number = 0
    while f"epochs_{number}" in arrays:
        columns[str(arrays[f"epochs_{number}_name"])] = arrays[f"epochs_{number}"]
        number += 1
    number = 0
    while f"table_{number}" in arrays:
        name, table = _table(arrays, f"table_{number}")
        record.tables[name] = table
        number += 1
    for row, epoch in enumerate(columns.pop("epoch", ())):
        record.append_epoch(
            int(epoch), {name: values[row] for name, values in columns.items()}
        )
    return record


def _table(arrays: dict[str, np.ndarray], key: str) -> tuple[str, LayerTable]:
    name, labels, measures = printable_parts(json.loads(str(arrays[key])))
    if not all(isinstance(text, str) for text in (name, *labels, *measures)):
        raise ValueError("a table of it has names that are no texts")
    table = LayerTable(labels, measures)
    steps, epochs, values = (
        arrays[f"{key}_{part}"] for part in ("steps", "epochs", "values")
    )
    for step, epoch, row in zip(steps, epochs, values, strict=True):
        table.append(int(step), int(epoch), dict(zip(measures, row, strict=True)))
    return name, table


def _foreign(path: Path) -> ValueError:
    return ValueError(
        f"{str(path)!r} is a NumPy file but not a record. Expected a file written by "
        "`TrainingRecord.save`."
    )
