"""What plots are given to draw."""

from __future__ import annotations

from typing import Any, TypeVar

from keras_dlbasic.records import TrainingRecord

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
