"""Minimum, saddle or plateau: what a run stands on, looked at while it is trained."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from keras_dlbasic._data.given_rows import GivenRows
from keras_dlbasic._data.read import Data
from keras_dlbasic._keras.callbacks import model_of, state_without_model
from keras_dlbasic.analysis.evenly import evenly
from keras_dlbasic.analysis.landscape.critical_point import (
    MEASURES,
    VERDICTS,
    CriticalPoint,
)
from keras_dlbasic.callbacks.arguments import check_rows
from keras_dlbasic.callbacks.fit_watch import FIRST_STEP, FitWatch
from keras_dlbasic.callbacks.monitor import Monitor
from keras_dlbasic.landscape import Objective, classify_point
from keras_dlbasic.records import TrainingRecord
from keras_dlbasic.records.facts import CurvatureFacts

PATIENCE, STILL = 5, 0.01
"""A loss is stuck if it has not fallen by so much of itself in this many epochs."""


class CurvatureProbe(Monitor):
    """Measure the curvature of the loss during training, on a fixed probe.

    Runs `landscape.classify_point` on rows of the training data in inference mode,
    during training (see `every`) and at its end. The measurements and the verdict are
    in `record.tables["curvature"]`. With them `TrainingDoctor` and `diagnose`
    distinguish a saddle point from a minimum when the loss is stuck. A measurement
    takes about as long as 150 gradients of the probe. Training, saving and logs are not
    changed.

    Args:
        x: Training inputs: an array or a structure of arrays.
        y: Training targets, likewise.
        every: A number of epochs, or `"plateau"` (default): measure when the loss has
            fallen by less than 1 % in 5 epochs.
        rows: Number of rows of the probe, evenly spaced. Defaults to `512`.
        max_products: See `classify_point`.
        verbose: 0 (default): silent; 1: print each verdict.
        record: A `TrainingRecord` to write to, shared with other callbacks. Defaults to
            None: the record of the other monitors in this fit, or a new one.

    Attributes:
        points: The `CriticalPoint` by epoch, 0-based.
        record: The record of the current or last fit. Raises a `ValueError` before the
            first fit.

    Raises:
        ValueError: If an argument is out of range, or the data do not fit each other
            or, as `fit` begins, the model.

    Example:
    >>> import keras, numpy as np
    >>> import keras_dlbasic as kd
    >>> dense = [keras.layers.Dense(n, kernel_initializer="zeros") for n in (4, 1)]
    >>> model = keras.Sequential([keras.Input((2,)), *dense])
    >>> model.compile(optimizer="sgd", loss="mse")
    >>> x = np.array([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.0, -1.0]])
    >>> probe = kd.callbacks.CurvatureProbe(x, x[:, :1])
    >>> history = model.fit(x, x[:, :1], epochs=2, verbose=0, callbacks=[probe])
    >>> probe.points[1].verdict
    'saddle'
    """

    _table_name = "curvature"
    _measures = (*MEASURES, "verdict")

    def __init__(
        self,
        x: Any,
        y: Any,
        *,
        every: int | str = "plateau",
        rows: int = 512,
        max_products: int = 40,
        verbose: int = 0,
        record: TrainingRecord | None = None,
    ) -> None:
        super().__init__(record, verbose)
        is_number = isinstance(every, int) and not isinstance(every, bool)
        if every != "plateau" and not (is_number and int(every) >= 1):
            raise ValueError(
                '`every` must be "plateau" or a number of epochs, at least 1. '
                f"Received: every={every!r}"
            )
        check_rows(rows)
        self.every = every
        self.max_products = max_products
        self.points: dict[int, CriticalPoint] = {}
        self._rows = rows
        self._given = GivenRows(x, y, self._chosen)

    def __getstate__(self) -> dict[str, Any]:
        return state_without_model(self, "_objective")

    def _join(self) -> FitWatch:
        return FitWatch.join(self, FIRST_STEP, self._given_record)

    def _chosen(self, found: Data) -> tuple[Any, Any]:
        chosen = evenly(found.n_rows, self._rows)
        x, y = keras.tree.map_structure(
            lambda leaf: None if leaf is None else np.asarray(leaf)[chosen],
            (found.x, found.y),
        )
        return x, y

    def _fit_begins(self) -> None:
        model = model_of(self)
        self._x, self._y = self._given.of(model)
        if self._y is None and getattr(model, "loss", None) is not None:
            raise ValueError(
                f"`y` is missing: give targets for the rows of `x`, as the model "
                f"'{model.name}' has a loss: `CurvatureProbe(x, y)`."
            )
        self._objective: Objective | None = None
        self._losses: list[float] = []
        self._ended: int | None = None
        self._seen = False
        self.points = {}

    def _epoch_ends(self, epoch: int, logs: dict[str, Any]) -> None:
        if self._ended == epoch:  # given twice to one fit
            return
        self._ended = epoch
        self._losses.append(float(logs.get("loss", np.nan)))
        self._seen = False
        if self._is_due(epoch) or epoch + 1 == self.params.get("epochs"):
            self._look()

    def _fit_ends(self) -> None:
        if self._losses and not self._seen:  # stopped before its last epoch
            self._look()

    def _is_due(self, epoch: int) -> bool:
        if isinstance(self.every, int):
            return (epoch + 1) % self.every == 0
        if len(self._losses) <= PATIENCE:
            return False
        # The lowest losses are compared, so a loss that oscillates around one level
        # counts as a plateau as well.
        before = min(self._losses[:-PATIENCE])
        is_still = before - min(self._losses) < STILL * abs(before)
        looked = [known for known in self.points if known > epoch - PATIENCE]
        # ever more rarely, however long it lies
        return is_still and not looked and epoch >= 1.5 * max(self.points, default=0)

    def _look(self) -> None:
        self._seen = True
        try:
            if self._objective is None:
                self._objective = Objective(self.model, self._x, self._y)
            _ = self.model  # JAX syncs the weights
            point = classify_point(self._objective, max_products=self.max_products)
        except (ValueError, TypeError) as error:
            failed = CurvatureFacts(failed=str(error)[:300])
            self._watch.record.note(curvature=failed)
            return
        self.points[self._epoch] = point
        about = CurvatureFacts(self._objective.rows.n, tuple(VERDICTS))
        self._watch.record.note(curvature=about)
        row = {name: float(getattr(point.evidence, name)) for name in MEASURES}
        row["verdict"] = float(VERDICTS.index(point.verdict))
        self._write(self._count.so_far, {"model": row})
        if self.verbose:
            self._messages.add(f"Epoch {self._epoch + 1}: {point}")
