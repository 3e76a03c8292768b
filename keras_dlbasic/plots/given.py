"""What plots are given to draw."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from keras_dlbasic._arguments import shown
from keras_dlbasic.records import TrainingRecord
from keras_dlbasic.records.saved_run import read_saved_run

Result = TypeVar("Result")


def record_of(given: Any) -> TrainingRecord:
    """Return the record to draw: what was given, or that of a callback.

    Raises:
        TypeError: If it is neither.
        ValueError: If the callback has not seen a fit yet.
    """
    if isinstance(given, TrainingRecord):
        return given
    if given is None:
        raise TypeError(
            "`record` must be a `TrainingRecord`. Received: None. Is the callback not "
            "fitted yet? Call `model.fit(..., callbacks=[callback])` first."
        )
    if hasattr(type(given), "record"):  # a callback; before a fit it says so itself
        return record_of(given.record)
    raise TypeError(
        "`record` must be a `TrainingRecord`, such as `doctor.record`. Received: "
        f"{type(given).__name__}. `TrainingRecord.from_history(history)` and "
        "`TrainingRecord.from_csv(path)` make one; `plot_history` draws both."
    )


def missing_steps(record: TrainingRecord) -> str:
    """Return why there are no steps of layers to draw; empty if there are."""
    if not len(record.steps):
        return "no sampled steps in this record"
    return "" if record.layers else "no layers in this record"


def any_record_of(given: Any) -> TrainingRecord:
    """Return the record of whatever a run has left behind.

    Args:
        given: A record, a callback that has one, a `History` or its dictionary, a model
            that was fitted, or the path of a record or a table of epochs.

    Raises:
        TypeError: If it is none of these.
        ValueError: If the callback has not seen a fit yet, or the file is no run.
        OSError: If there is no such file, or it is a folder.
    """
    if isinstance(given, (str, Path)):
        return read_saved_run(given)
    if given is None or isinstance(given, TrainingRecord):
        return record_of(given)
    if hasattr(type(given), "record"):
        return record_of(given)
    is_model = hasattr(given, "fit")
    if is_model and hasattr(getattr(given, "history", None), "history"):
        given = given.history  # Keras keeps that of the last fit
    if not isinstance(given, Mapping) and not hasattr(given, "history"):
        way = ""
        if is_model:
            way = " This model has not been trained yet: call `fit` first."
        raise TypeError(
            "`run` must be the `History` that `model.fit` returned or its `history`, "
            "a callback such as a `TrainingDoctor`, a `TrainingRecord`, or the path of "
            "a record (`.npz`) or a table of epochs (`.csv`). Received: "
            f"{shown(given)}.{way}"
        )
    return TrainingRecord.from_history(given)


def result_of(given: Any, kind: type[Result]) -> Result:
    """Return the result to draw.

    Raises:
        TypeError: If it is no such result.
    """
    if isinstance(given, kind):
        return given
    way = ""
    if hasattr(given, "run"):
        way = " Call its `run()` first."
    elif given is None:
        way = " Was it not measured yet?"
    raise TypeError(
        f"This plot draws a `{kind.__name__}`. Received: {type(given).__name__}.{way}"
    )
