"""The data of a study: what it trains on, and what it scores on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from keras_dlbasic._trials.batch_sizes import count_rows
from keras_dlbasic._trials.stored_batches import as_arrays, take
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
    def of(cls, x: Any, y: Any, validation_data: Any, *, hold_out: bool) -> StudyData:
        """Read data.

        Args:
            x: Inputs, arrays.
            y: Targets, arrays.
            validation_data: `(x, y)` or None.
            hold_out: Whether to hold a stratified share out where these are None.

        Raises:
            TypeError: If `x` makes its own batches.
            ValueError: If numbers of rows differ.
        """
        rows = np.arange(count_rows([x, y]))
        data = as_arrays((x, y))
        if validation_data is None and hold_out:
            rows, held_out = split(data[1], HELD_OUT_SHARE, 0)
            validation_data, data = take(data, held_out), take(data, rows)
        return cls(data, as_arrays(validation_data), rows)
