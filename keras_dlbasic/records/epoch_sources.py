"""Records of epochs, from the `History` of a fit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from keras_dlbasic.records.facts import RunFacts
from keras_dlbasic.records.record_data import RecordData

Record = TypeVar("Record", bound=RecordData)


def record_from_history(history: Any, record_type: type[Record]) -> Record:
    """Make a record of a Keras `History` or its dictionary."""
    logs = history if isinstance(history, Mapping) else getattr(history, "history", 0)
    if not isinstance(logs, Mapping):
        raise TypeError(
            "`history` must be the `History` that `model.fit` returns, or its "
            f"`history` dictionary. Received: {history!r} of type {type(history)}"
        )
    lengths = {name: len(values) for name, values in logs.items()}
    numbers = list(
        getattr(history, "epoch", None) or range(max(lengths.values(), default=0))
    )
    record = record_type(facts=_facts(getattr(history, "params", None)))
    for name, length in lengths.items():
        # validation_freq leaves shorter lists, whose epochs are not known afterwards
        if length != len(numbers) and not name.startswith("val_"):
            raise ValueError(
                "The lists of a history must be of one length, one value per epoch. "
                f"Received: {lengths}"
            )
    for place, epoch in enumerate(numbers):
        record.append_epoch(
            epoch,
            {
                name: values[place * lengths[name] // len(numbers)]
                for name, values in logs.items()
                if _falls_on(place, lengths[name], len(numbers))
            },
        )
    return record


def _falls_on(place: int, length: int, n_epochs: int) -> bool:
    """Return whether the epoch at `place` has a value in a list of `length`.

    Keras validates every `validation_freq` epochs, so a shorter list belongs to the
    epochs at the end of equal strides.
    """
    if length == 0:
        return False
    stride = n_epochs // length
    return (place + 1) % stride == 0 and (place + 1) // stride <= length


def _facts(params: Mapping[str, Any] | None) -> RunFacts:
    steps = (params or {}).get("steps")
    return RunFacts(steps_per_epoch=None if steps is None else int(steps))
