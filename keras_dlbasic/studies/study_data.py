"""The data of a study: what it trains on, and what it scores on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from keras_dlbasic._data.read import read, read_validation
from keras_dlbasic._trials.stored_batches import take
from keras_dlbasic._trials.stratified import split

HELD_OUT_SHARE = 0.3
"""Share of the rows that is held out where there are no validation data."""


@dataclass(frozen=True)
class StudyData:
    """What a study trains on and what it scores on.

    Attributes:
        train: `(x, y)`, arrays.
        held_out: `(x, y)`, arrays; None if nothing is held out.
        rows: Which of the user's rows are in `train`.
    """

    train: tuple[Any, Any]
    held_out: Any
    rows: np.ndarray

    @classmethod
    def of(
        cls, x: Any, y: Any, validation_data: Any, *, model: Any, hold_out: bool
    ) -> StudyData:
        """Read data.

        Args:
            x: Inputs: an array, tensor, data frame, list or a structure of these; or a
                data set.
            y: Targets; None with a data set.
            validation_data: `(x, y)`, a data set, or None.
            model: The model that the rows go into, or a function that makes it.
            hold_out: Whether to hold a stratified share out where these are None.

        Raises:
            ValueError: If they are none of these, numbers of rows differ, or there are
                sample weights, by which no trial trains or scores.
        """
        found = read(x, y, model=model, needs_y=True, takes_weights=False)
        data, rows = (found.x, found.y), np.arange(found.n_rows)
        if validation_data is None and hold_out:
            rows, held_out = split(data[1], HELD_OUT_SHARE, 0)
            return cls(take(data, rows), take(data, held_out), rows)
        validation = read_validation(validation_data, model=model, takes_weights=False)
        return cls(data, validation, rows)
