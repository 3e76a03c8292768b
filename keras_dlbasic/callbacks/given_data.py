"""What the user gave a callback to look at."""

from __future__ import annotations

from typing import Any

from keras_dlbasic._data import kinds
from keras_dlbasic._data.alone import check_alone
from keras_dlbasic._data.names import ARGUMENTS
from keras_dlbasic._data.read import read, read_validation
from keras_dlbasic.inspection.given_names import given_names

PASSING = "validation_set"
"""Noted of validation data that come in batches, which are read as they pass."""


class GivenData:
    """Rows that were given to a callback, as arrays.

    Data sets and generators are not read: what they draw would be missing in `fit`, or
    change its order. Their batches are read as they pass.

    Args:
        x: Training inputs: an array, tensor, data frame, list or a structure of these;
            or None.
        y: Training targets, likewise.
        validation_data: `(x, y)`, a data set, or None.

    Attributes:
        names: What was given, for `RunFacts.given`.

    Raises:
        ValueError: If something is none of these, or `y` is given without rows.
    """

    def __init__(self, x: Any, y: Any, validation_data: Any) -> None:
        if x is None and y is not None:
            raise ValueError("`y` was given without `x`. Give both, or neither.")
        if kinds.makes_batches(x):
            check_alone(x, y, None, ARGUMENTS)
            x = None
        names = given_names(x, y, validation_data)
        if kinds.makes_batches(validation_data):
            names, validation_data = (*names, PASSING), None
        self.names = names
        self._given = x, y, validation_data
        # which columns of a table are inputs, only the model tells
        pair = validation_data if isinstance(validation_data, (tuple, list)) else ()
        if not any(map(kinds.is_table, (x, y, *pair))):
            self.arrays(None)

    def arrays(self, model: Any) -> tuple[Any, Any, Any]:
        """Return `x`, `y` and `validation_data` as arrays, each None if not given.

        Args:
            model: The model that they are for, or None: not known yet.

        Raises:
            ValueError: If they do not fit each other or the model.
        """
        x, y, validation_data = self._given
        if x is not None:
            found = read(x, y, model=model)
            x, y = found.x, found.y
        return x, y, read_validation(validation_data, model=model)
