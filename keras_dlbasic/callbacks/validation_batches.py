"""The batches that pass in the first validation of a fit."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from keras_dlbasic._backends.data_failed import DataFailedError
from keras_dlbasic._backends.guard import Guard
from keras_dlbasic._backends.loading import backend_module
from keras_dlbasic._data.row_sample import row_shapes
from keras_dlbasic.callbacks.passing_batches import (
    MOST_BATCHES,
    MOST_BYTES,
    joined_rows,
    some_rows,
)


class ValidationBatches:
    """Keeps rows of the batches on which a fit validates first, up to a bound.

    It draws no batch that the validation would not draw, and keeps copies. Up to 64
    batches are kept, evenly spread over the validation, however long it is: where there
    are more, every other one is let go, and from then on every other one is read.

    Args:
        model: The model in `fit`.
        guard: Of the fit.

    Attributes:
        is_all: Whether all rows were kept.
    """

    def __init__(self, model: Any, guard: Guard) -> None:
        self.is_all = True
        self._model = model
        self._guard = guard
        self._stride = 1
        self._next = 0  # the number of the batch that passes next
        self._kept: dict[int, tuple[Any, Any]] = {}
        self._has_ended = False
        self._armed: Any = None

    def __getstate__(self) -> dict[str, Any]:
        """Return what a copy keeps: nothing of the fit."""
        return {**vars(self), "_model": None, "_armed": None, "_has_ended": True}

    @property
    def targets(self) -> list[Any]:
        """Targets of the rows kept of each batch, in the order of the batches."""
        return [y for _, y in self._kept.values()]

    def joined(self) -> tuple[Any, Any] | None:
        """Return inputs and targets of all rows kept; None if there are none."""
        if not self._kept:
            return None
        joined: tuple[Any, Any] = joined_rows(list(self._kept.values()))
        return joined

    def step_begins(self, step: int) -> None:
        """Have the batches of the next call of the test function shown.

        Args:
            step: Number of the first batch of the call in the validation.
        """
        if self._has_ended:
            return
        count = int(self._model.steps_per_execution or 1)
        self._next = step
        if all(self._is_left_out(step + i) for i in range(count)):
            self.is_all = False
            return
        attributes = vars(self._model)
        plain = attributes.get("test_function")
        if plain is None:
            return
        show = backend_module("passing", "Batches can be read").shown

        # It puts back what was there before it does anything, so that nothing is left
        # on the model after the call, whatever happens in it.
        def test_function(*args: Any) -> Any:
            try:
                with self._guard.on_host(DataFailedError):
                    self._put_back()
                    args = show(args, count, take)
            except DataFailedError as failed:
                raise failed.__cause__ or failed from None
            return plain(*args)

        def take(batch: Any) -> None:
            with self._guard.on_host():
                self._take(batch)

        self._armed = test_function, plain
        attributes["test_function"] = test_function

    def ends(self) -> None:
        """Read no more: a validation, or the fit, has ended."""
        self._put_back()
        self._has_ended = True

    def drop(self) -> None:
        """Let go of all rows."""
        self._kept = {}

    def _put_back(self) -> None:
        armed, self._armed = self._armed, None
        attributes = vars(self._model)
        if armed is not None and attributes.get("test_function") is armed[0]:
            attributes["test_function"] = armed[1]

    def _is_left_out(self, place: int) -> bool:
        return place % self._stride != 0

    def _take(self, batch: Any) -> None:
        place, self._next = self._next, self._next + 1
        if self._has_ended:
            return
        if self._is_left_out(place):
            self.is_all = False
            return
        self._keep(place, batch)

    def _keep(self, place: int, batch: Any) -> None:
        x, y, _ = keras.utils.unpack_x_y_sample_weight(batch)
        try:
            rows = some_rows(keras.tree.map_structure(_to_numpy, (x, y)))
        except (TypeError, ValueError, AttributeError, RuntimeError):
            self.is_all = False  # sparse or ragged
            return
        first = next(iter(self._kept.values()), rows)
        if row_shapes(rows) != row_shapes(first):
            self.is_all = False
            return
        self._kept[place] = rows
        self.is_all &= _n_rows(rows) == _n_rows((x, y))
        while len(self._kept) > MOST_BATCHES:
            self.is_all = False
            self._stride *= 2
            kept = self._kept.items()
            self._kept = {i: rows for i, rows in kept if not self._is_left_out(i)}


def _to_numpy(leaf: Any) -> Any:
    """Return rows of a part of a batch on the host, evenly chosen if it is large."""
    if leaf is None:
        return None
    if not len(leaf.shape):
        return keras.ops.convert_to_numpy(leaf)
    size = int(np.prod(leaf.shape)) * 4
    apart = max(1, -(-size // (MOST_BYTES // MOST_BATCHES)))
    return keras.ops.convert_to_numpy(leaf[::apart] if apart > 1 else leaf)


def _n_rows(data: Any) -> int:
    leaves = [leaf for leaf in keras.tree.flatten(data) if leaf is not None]
    return int(leaves[0].shape[0]) if leaves and len(leaves[0].shape) else 0
