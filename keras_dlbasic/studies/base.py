"""What most studies begin with: data, seeds, and what their trials share."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from keras_dlbasic._trials.batch_sizes import count_rows
from keras_dlbasic._trials.seeded_model import study_facts
from keras_dlbasic._trials.stored_batches import as_arrays, take
from keras_dlbasic._trials.stratified import split
from keras_dlbasic.studies.fitted_trial import Training

HELD_OUT_SHARE = 0.3
"""Share of the rows that is held out where there are no validation data."""


@dataclass(frozen=True)
class StudyData:
    """What a study trains on and what it scores on.

    Attributes:
        train: `(x, y)`, arrays.
        held_out: `(x, y)`, arrays.
        rows: Which of the user's rows are in `train`.
    """

    train: tuple[Any, Any]
    held_out: tuple[Any, Any]
    rows: np.ndarray

    @classmethod
    def of(cls, x: Any, y: Any, validation_data: Any) -> StudyData:
        """Read data; without validation data, hold a stratified share out.

        Raises:
            TypeError: If `x` makes its own batches.
            ValueError: If numbers of rows differ.
        """
        rows = np.arange(count_rows([x, y]))
        data = as_arrays((x, y))
        if validation_data is None:
            rows, held_out = split(data[1], HELD_OUT_SHARE, 0)
            validation_data, data = take(data, held_out), take(data, rows)
        return cls(data, as_arrays(validation_data), rows)

    def facts(
        self, study: Any, model: Any, training: Training, *more_data: Any
    ) -> dict[str, Any]:
        """Return what tells a study on these data from another."""
        return {
            **study_facts(study, model, self.train, self.held_out, *more_data),
            "rows": len(self.rows),
            "updates": training.updates,
            "batch_size": training.batch_size,
        }


@dataclass(frozen=True)
class StudyTask:
    """What all trials of a study share."""

    build_model: Callable[..., Any]
    data: tuple[Any, Any]
    validation_data: tuple[Any, Any]
    training: Training


def seeds_of(seeds: int | Iterable[int]) -> tuple[int, ...]:
    """Return the seeds: those given, or so many from 0.

    Raises:
        ValueError: If there are none.
    """
    found = tuple(range(seeds)) if isinstance(seeds, int) else tuple(seeds)
    if not found:
        raise ValueError(f"There must be at least one seed. Received: seeds={seeds!r}")
    return found
