"""Rows that are given before the model that they go into is known."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from keras_dlbasic._data import kinds
from keras_dlbasic._data.read import Data, read


class GivenRows:
    """Reads rows when they are given, and checks them when the model is known.

    Which columns of a table are inputs only the model tells, so tables are read then.

    Args:
        x: Inputs that `read` can read.
        y: Targets, likewise, or None.
        choose: Returns the part `(x, y)` of the `Data` read that is kept. It is
            applied twice, so it must return its own result unchanged.
        **options: What else `read` takes.

    Raises:
        ValueError: If the rows cannot be read.
    """

    def __init__(
        self, x: Any, y: Any, choose: Callable[[Data], tuple[Any, Any]], **options: Any
    ) -> None:
        self._x, self._y = x, y
        self._choose, self._options = choose, options
        if not any(map(kinds.is_table, (x, y))):
            self._x, self._y = self.of(None)

    def of(self, model: Any) -> tuple[Any, Any]:
        """Return `x` and `y` as arrays.

        Raises:
            ValueError: If they do not fit the model.
        """
        return self._choose(read(self._x, self._y, model=model, **self._options))
