"""One fit being watched, for all callbacks of this package in it."""

from __future__ import annotations

import warnings
import weakref
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
import numpy as np

from keras_dlbasic._backends.guard import Guard
from keras_dlbasic._backends.row_layout import RowLayouts
from keras_dlbasic._keras.graph import printable_path
from keras_dlbasic.gradients import GradientTap, describe_variables
from keras_dlbasic.gradients.limits import reason_not_to_watch
from keras_dlbasic.gradients.sampling import Every, epoch_plan
from keras_dlbasic.gradients.tap import row_to_numpy
from keras_dlbasic.inspection.run_facts import run_facts
from keras_dlbasic.records import MEASURES, TrainingRecord
from keras_dlbasic.records.record_data import global_norm

FIRST_STEP = 2**62
"""As `every`: the first step of the fit only."""

PENDING_ROWS = 64
"""So many rows may wait on the device before they are fetched."""

_watches: weakref.WeakKeyDictionary[Any, weakref.ref[FitWatch]] = (
    weakref.WeakKeyDictionary()
)


class FitWatch:
    """Takes the rows of a fit to a record, at the steps that its callbacks ask for.

    The callbacks of one `fit` share a watch: the first that joins drives it, calls of
    the others change nothing.

    Attributes:
        record: The record of the fit.
        guard: Keeps errors of the callbacks from the fit, and reports one.
        last_epoch: Mean of the global gradient norm over the sampled steps of the epoch
            that ended last, NaN if there was none.
    """

    def __init__(self, model: Any, params: Mapping[str, Any]) -> None:
        self.record = TrainingRecord()
        self.guard = Guard()
        self.last_epoch = float("nan")
        self._model = model
        self._params = params
        self._driver: Any = None
        self._has_given_record = False
        self._has_warned = False
        self._every: list[Every] = []
        self._row_listeners: list[Callable[[int, np.ndarray], None]] = []
        self._batch_listeners: list[Callable[[Any], None]] = []
        self._data_listeners: list[Callable[[Any, Any], bool]] = []
        self._tap: GradientTap | None = None
        self._pending: list[tuple[int, int, Any, RowLayouts]] = []
        self._variables: list[int] | None = None
        self._epoch_offset: int | None = None
        self._epoch_norms: list[float] = []
        self._epoch = 0
        self._epochs_begun = 0
        self._steps_in_last_epoch: int | None = params.get("steps")
        self._offset = 0  # steps of the record before this fit
        self._steps = 0  # steps of this fit
        self._epoch_first_step = 0
        self._begun_step = 0
        self._open_epoch: int | None = None
        self._has_armed = False
        self._has_seen_a_step = False
        self._is_planned: Callable[[int], bool] = lambda step: False

    @classmethod
    def join(
        cls,
        callback: Any,
        every: Every,
        record: TrainingRecord | None = None,
        row_listener: Callable[[int, np.ndarray], None] | None = None,
        batch_listener: Callable[[Any], None] | None = None,
        data_listener: Callable[[Any, Any], bool] | None = None,
    ) -> FitWatch:
        """Return the watch of the fit that `callback` is in.

        Args:
            callback: A Keras callback, in its `on_train_begin`. Its `_is_refit` is
                what `has_train_function` told in `set_model`.
            every: At which steps it wants gradients.
            record: Where to record; continued if it has rows. Defaults to a new one.
            row_listener: Called with the number and row of each sampled step, at once:
                this waits for the step.
            batch_listener: Called once, with the first 256 rows of the inputs of the
                first sampled step.
            data_listener: Called with the first rows of the inputs and targets of each
                sampled step, until it returns True.

        Raises:
            ValueError: If two callbacks of a fit ask for different records, or if
                `record` is about other variables.
        """
        model, params = callback._model, callback.params
        if params is None:  # its hooks are called by hand
            params = {}
        known = _watches.get(model)
        watch = known() if known is not None else None
        if watch is None or watch._params is not params:
            watch = cls(model, params)
            _watches[model] = weakref.ref(watch)
        watch._add(callback, every, record, row_listener)
        if batch_listener is not None and watch._tap is not None:
            watch._batch_listeners.append(batch_listener)
            watch._tap.batch_sink = watch._receive_batch
        if data_listener is not None and watch._tap is not None:
            watch._data_listeners.append(data_listener)
            watch._tap.batch_sink = watch._receive_batch
        return watch

    def _add(
        self,
        callback: Any,
        every: Every,
        record: TrainingRecord | None,
        row_listener: Callable[[int, np.ndarray], None] | None,
    ) -> None:
        first = self._driver is None
        if first:
            self._driver = callback
            with self.guard.on_host():
                self._make_tap(callback._is_refit)
        if record is not None and record is not self.record:
            if self._has_given_record:
                raise ValueError(
                    "The callbacks of one fit share one record, but two were given as "
                    "`record=`. Give the same to all, or to one only."
                )
            _check_same_variables(record, self._model)
            self.record = record
        self._has_given_record |= record is not None
        self._offset = self.record.trained_steps
        if first or record is not None:
            with self.guard.on_host():
                self.record.facts.update(run_facts(self._model, self._params))
        self._every.append(every)
        if row_listener is not None:
            self._row_listeners.append(row_listener)

    def _make_tap(self, is_refit: bool) -> None:
        reason = reason_not_to_watch(self._model, is_refit=is_refit)
        if reason is None:
            self._tap = GradientTap(self._model, self._receive, self.guard)
            self._tap.on_failure = self._step_failed
        else:
            warnings.warn(f"Gradients are not watched: {reason}.", stacklevel=2)

    # -- hooks, to be called from those of the callbacks --------------------------

    def epoch_begins(self, callback: Any, epoch: int) -> None:
        """Plan the steps of an epoch."""
        if callback is not self._driver or self._open_epoch == epoch:
            return
        with self.guard.on_host():
            self._plan(epoch)

    def _plan(self, epoch: int) -> None:
        self._is_planned = lambda step: False
        if self._epoch_offset is None:
            self._epoch_offset = self.record.epoch_offset(epoch)
        self._open_epoch = epoch
        self._epoch = epoch + self._epoch_offset
        self._epoch_first_step = self._steps
        n_steps = self._params.get("steps") or self._steps_in_last_epoch
        plans = [
            epoch_plan(every, self._epochs_begun, n_steps, self._steps)
            for every in self._every
        ]
        self._is_planned = (
            plans[0]
            if len(plans) == 1
            else lambda step: any(plan(step) for plan in plans)
        )
        self._epochs_begun += 1

    def step_begins(self, callback: Any, step: int) -> None:
        """Arm the tap if the step `step` of the epoch is to be measured."""
        if callback is not self._driver:
            return
        with self.guard.on_host():
            self._arm(step)

    def _arm(self, step: int) -> None:
        last = step + self._model.steps_per_execution - 1
        n_steps = self._params.get("steps")
        if n_steps is not None:
            last = min(last, n_steps - 1)
        self._begun_step = self._epoch_first_step + step
        self._steps = self._epoch_first_step + last + 1
        if self._tap is None or self._tap.is_refused:
            return
        if any(self._is_planned(s) for s in range(step, last + 1)):
            self._has_armed = True
            self._tap.arm(self._offset + self._steps - 1)
        elif n_steps is None or self._tap.must_see_every_step:
            self._tap.arm(None)

    def epoch_ends(self, callback: Any, epoch: int, logs: Mapping[str, Any]) -> None:
        """Fetch the rows of the epoch and keep its logs."""
        self.log(epoch, logs)  # each callback may have added some
        if callback is not self._driver or self._open_epoch is None:
            return
        self._open_epoch = None
        self.last_epoch = float("nan")
        with self.guard.on_host():
            self._fetch()
            self._close_epoch()

    def _close_epoch(self) -> None:
        self._steps_in_last_epoch = self._steps - self._epoch_first_step
        self.record.trained_steps = self._offset + self._steps
        norms = self._epoch_norms
        self.last_epoch = float(np.mean(norms)) if norms else float("nan")
        self._epoch_norms = []
        is_refused = self._tap is not None and self._tap.is_refused
        is_unseen = not (self._has_seen_a_step or self.guard.has_ended or is_refused)
        if self._has_armed and is_unseen:
            self._has_seen_a_step = True  # is said once
            warnings.warn(
                "Gradients are not watched: no step of this epoch went through "
                "`model.fit`. Steps of `train_on_batch` and of loops of your own are "
                "not watched. Call `model.fit(..., callbacks=[...])`.",
                stacklevel=2,
            )

    def log(self, epoch: int, logs: Mapping[str, Any]) -> None:
        """Keep logs of an epoch."""
        with self.guard.on_host():
            self.record.append_epoch(epoch + (self._epoch_offset or 0), logs)

    def fit_ends(self, callback: Any) -> None:
        """Fetch what is left and let go of the model."""
        if callback is not self._driver:
            return
        with self.guard.on_host():
            self._fetch()
        self.record.trained_steps = self._offset + self._steps
        if self._tap is not None:
            with self.guard.on_host():
                self._tap.disarm()

    def is_about(self, model: Any) -> bool:
        """Tell whether this watch is, or was, that of a fit of `model`."""
        return self._model is model

    def __getstate__(self) -> dict[str, Any]:
        """Return what a copy keeps: what was measured, and nothing of the fit."""
        finished = vars(FitWatch(None, {}))
        kept = {"record": self.record, "last_epoch": self.last_epoch}
        return {**finished, **kept, "_is_planned": None}

    def _step_failed(self) -> None:
        # on TensorFlow and JAX also how data of unknown length end
        self._steps = self._begun_step

    # -- rows ----------------------------------------------------------------------

    def _receive(self, step: int, row: Any, layouts: RowLayouts | None) -> None:
        self._has_seen_a_step = True
        if layouts is not None:
            self._pending.append((step, self._epoch, row, layouts))
        if self._row_listeners or len(self._pending) >= PENDING_ROWS:
            self._fetch()

    def _receive_batch(self, rows: Any) -> None:
        x, y = rows or ((), None)
        listeners, self._batch_listeners = self._batch_listeners, []
        for listener in listeners:
            with self.guard.on_host():
                listener(x)
        if rows:
            waiting = self._data_listeners
            self._data_listeners = [f for f in waiting if self._asks_on(f, x, y)]

    def _asks_on(self, listener: Callable[[Any, Any], bool], x: Any, y: Any) -> bool:
        """Show a batch to a listener; tell whether it asks for another."""
        has_enough = True
        with self.guard.on_host():
            has_enough = listener(x, y)
        return not has_enough

    def _fetch(self) -> None:
        pending, self._pending = self._pending, []
        for step, epoch, on_device, layouts in pending:
            with self.guard.on_host():
                row = row_to_numpy(on_device)
                layout = layouts.of(row)
                if self._is_of_record(layout.variables):
                    self._append(step, epoch, *layout.read(row))

    def _is_of_record(self, variables: Sequence[Any]) -> bool:
        """Tell whether the record is about `variables`; the first row sets them."""
        ids = [id(variable) for variable in variables]
        if self._variables is None:
            self._variables = ids
            if not len(self.record.steps):
                self.record.set_variables(describe_variables(self._model, variables))
        if ids == self._variables and len(ids) == len(self.record.variables):
            return True
        if not self._has_warned:
            self._has_warned = True
            warnings.warn(
                f"A step updated {len(ids)} variables, while the record is about "
                f"{len(self.record.variables)}: such steps are left out of the record. "
                "What a step trains must not change within a fit; start a new fit "
                "after `model.compile(...)`.",
                stacklevel=2,
            )
        return False

    def _append(
        self, step: int, epoch: int, scalars: dict[str, float], measures: np.ndarray
    ) -> None:
        has_units = [variable.has_units for variable in self.record.variables]
        zero_units = MEASURES.index("zero_unit_fraction")
        measures[zero_units, np.logical_not(has_units)] = np.nan
        self.record.append_step(step, {"epoch": epoch, **scalars}, measures)
        if np.isfinite(scalars["batch_size"]):
            known = self.record.facts.get("batch_size") or 0
            self.record.facts["batch_size"] = max(known, int(scalars["batch_size"]))
        if not scalars["skipped"]:
            norms, non_finite = measures[0], measures[MEASURES.index("non_finite")]
            self._epoch_norms += global_norm(norms[None], non_finite[None]).tolist()
        for listener in self._row_listeners:
            listener(step, measures)


def has_train_function(model: Any) -> bool:
    """Tell whether Keras goes on with the train function of an earlier fit.

    To be asked in `set_model`: afterwards Keras makes one.
    """
    return vars(model).get("train_function") is not None


def _check_same_variables(record: TrainingRecord, model: Any) -> None:
    if not len(record.steps) or not model.built:
        return
    old = [(variable.path, variable.shape) for variable in record.variables]
    new = [(printable_path(v), tuple(v.shape)) for v in model.trainable_variables]
    if type(model).train_step is keras.Model.train_step:
        is_same = sorted(old) == sorted(new)
    else:  # a step of the user's may train only some of them
        is_same = set(old) <= set(new)
    if not is_same:
        raise ValueError(
            "A record can be continued only by a model with the same trainable "
            f"variables. The record has {len(old)}: {_some(old)}; the model has "
            f"{len(new)}: {_some(new)}. Give a new record, or use `append=False`."
        )


def _some(variables: list[Any]) -> str:
    names = ", ".join(path for path, _ in variables[:3])
    return names + (", ..." if len(variables) > 3 else "")
