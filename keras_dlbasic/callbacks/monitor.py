"""What the callbacks that watch a fit have in common."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras

from keras_dlbasic._backends.guard import Guard
from keras_dlbasic._backends.processes import is_in_parts, processes_of
from keras_dlbasic._keras.callbacks import model_of, state_without_model
from keras_dlbasic._keras.tested import untested_keras
from keras_dlbasic._wrong_arguments import name_nearest_in
from keras_dlbasic.callbacks.arguments import check_record
from keras_dlbasic.callbacks.fit_log import FitLog
from keras_dlbasic.callbacks.fit_watch import has_train_function
from keras_dlbasic.callbacks.guarded import guard_of, guarded
from keras_dlbasic.callbacks.messages import Messages
from keras_dlbasic.callbacks.not_fitted import NotFittedError
from keras_dlbasic.callbacks.step_count import SafeUnlessOverridden, StepCount
from keras_dlbasic.callbacks.table_writer import TableWriter
from keras_dlbasic.inspection.run_facts import run_facts
from keras_dlbasic.records import LayerTable, TrainingRecord


class Monitor(keras.callbacks.Callback):
    """The base of the callbacks that watch a fit.

    It joins the fit, keeps its record and logs, counts steps, holds messages back and
    keeps errors from the training. A subclass measures, in any of the methods
    `_fit_begins`, `_step_begins`, `_epoch_ends` and `_fit_ends`, and writes what it
    measured by `_write`. It sees gradients if its `_join` returns a `FitWatch`.

    Args:
        record: A `TrainingRecord` to write to. Defaults to None: a new one for each
            fit.
        verbose: Whether to say what is found. 0 or 1.

    Raises:
        ValueError: If an argument is none of the above.
    """

    async_safe = SafeUnlessOverridden()

    _table_name: str | None = None
    """Of the table of the record that it writes to."""

    _measures: tuple[str, ...] = ()
    """Names of what it measures for each column of the table."""

    _reads_weights = True
    """Whether it has nothing to measure where no process has the weights at hand."""

    _guard: Guard
    """Of the fit that has begun; made by `guarded`."""

    _due: frozenset[int] | None = None
    """The steps of the epoch that are not passed over, None if none is."""

    _has_own_batch_end = False
    """Whether a subclass has a hook `on_batch_end`, which Keras knows as well."""

    def __init_subclass__(cls, **given: Any) -> None:
        super().__init_subclass__(**given)
        name_nearest_in(cls)

    def __init__(self, record: TrainingRecord | None, verbose: int = 0) -> None:
        super().__init__()
        check_record(record)
        self.verbose = verbose
        self._given_record = record
        self._watch: Any = None
        self._count = StepCount()
        self._messages = Messages()

    @property
    def record(self) -> TrainingRecord:  # noqa: D102 - see the classes
        watch = self._watch
        record: TrainingRecord | None = (
            self._given_record if watch is None else watch.record
        )
        if record is None:
            raise NotFittedError(self, "record")
        return record

    def __repr__(self) -> str:
        record = getattr(self, "record", None)
        said = "not fitted yet" if record is None else repr(record).strip("<>")
        return f"<{type(self).__name__}: {said}>"

    def set_model(self, model: Any = None) -> None:  # noqa: D102
        if not isinstance(self, Monitor):  # Keras calls it of a class like this
            raise TypeError(
                "`callbacks` must hold instances, not classes. Call the class, as in "
                "`callbacks=[TrainingDoctor(x, y)]`."
            )
        super().set_model(model)
        self._is_refit = has_train_function(model)

    def __getstate__(self) -> dict[str, Any]:
        return state_without_model(self)

    # -- what a subclass does ------------------------------------------------------

    def _join(self) -> FitLog:
        """Return what drives this callback: here the record alone, no gradients."""
        record = TrainingRecord() if self._given_record is None else self._given_record
        with self._guard.on_host():
            if record.facts.is_empty:
                record.facts = run_facts(model_of(self), self.params or {})
        return FitLog(record, self._guard)

    def _fit_begins(self) -> None:
        """Prepare for a fit; errors of the user's arguments may be raised."""

    def _step_begins(self, batch: int) -> None:
        """Look at the model before a step."""

    def _epoch_ends(self, epoch: int, logs: dict[str, Any]) -> None:
        """Look at the model after an epoch, whose logs are in the record by now."""

    def _fit_ends(self) -> None:
        """Look at the model after the fit."""

    @property
    def _stops_by_own_data(self) -> bool:
        """Whether it may stop the fit for what only this process has seen."""
        return False

    def _stop_together(self) -> None:
        """Stop the fit if any of the processes that train together stops it.

        One that stopped alone would leave the others waiting for its next step.
        """
        if self._processes.count > 1 and self._stops_by_own_data:
            model = model_of(self)
            topic = f"{type(self).__name__} stops"
            if self._processes.any(topic, bool(model.stop_training)):
                model.stop_training = True

    def _write(
        self, step: int, columns: Mapping[str, Mapping[str, float]]
    ) -> LayerTable | None:
        """Add a row to the table, by `TableWriter.append`."""
        assert self._table is not None
        epoch = self._watch.in_record(self._epoch)
        return self._table.append(step, epoch, columns)

    # -- hooks ---------------------------------------------------------------------

    @guarded
    def on_train_begin(self, logs: Any = None) -> bool | None:  # noqa: D102
        self._table: TableWriter | None = None
        self._count = StepCount()
        self._epoch = 0
        self._due = None
        self._has_own_batch_end = _has_own_batch_end(type(self))
        self._processes = processes_of(model_of(self))
        if (untested := untested_keras()) is not None:
            self._guard.say(untested)
        self._watch = self._join()
        self._messages.is_silent = self._processes.is_silent
        if self._reads_weights and is_in_parts(model_of(self)):
            self._guard.say(
                f"{type(self).__name__} measures nothing in this fit: it reads the "
                "weights, of which each process has only a part. Use "
                "`keras.distribution.DataParallel`, or a mesh whose parts are in one "
                "process."
            )
            return False
        self._fit_begins()
        return None

    @guarded
    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:  # noqa: D102
        self._epoch = epoch
        self._count.epoch_begins(self.params)
        self._watch.epoch_begins(self, epoch)
        self._due = self._due_steps()
        # The table is made here and not as the fit begins: a callback that joins later
        # may bring the record that all of them share.
        name, record = self._table_name, self._watch.record
        if self._table is None and name is not None:
            self._table = TableWriter(record, name, self._measures)
        self._messages.say()

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:  # noqa: D102
        # Between two steps of a fit each call is slow, as what it needs has left the
        # caches: a step at which there is nothing to do asks one set.
        if self._due is None or batch in self._due:
            self._due_step_begins(batch)

    @guarded
    def _due_step_begins(self, batch: int) -> None:
        try:
            self._step_begins(batch)
        except Exception as error:
            if not guard_of(self).catch(error):
                raise
        self._watch.step_begins(self, batch)
        self._due = self._due_steps()

    def _due_steps(self) -> frozenset[int] | None:
        """Return the steps of this epoch at which there is something to do."""
        # a subclass with its own hook may not count the steps
        counts = type(self).on_train_batch_end is Monitor.on_train_batch_end
        asks_each = self._asks_each_step or not counts
        return None if asks_each else self._watch.due_steps(self)

    @property
    def _asks_each_step(self) -> bool:
        """Whether `_step_begins` is to be called at each step from now on."""
        return type(self)._step_begins is not Monitor._step_begins

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:  # noqa: D102
        if self._has_own_batch_end:
            self._own_batch_end(batch, logs)
        self._count.step_ends(batch)

    @guarded
    def _own_batch_end(self, batch: int, logs: Any) -> None:
        super().on_train_batch_end(batch, logs)

    @guarded
    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:  # noqa: D102
        logs = {} if logs is None else logs
        self._watch.epoch_ends(self, epoch, logs, self._count.n)
        try:
            self._epoch_ends(epoch, logs)
        finally:  # the others wait for it
            self._stop_together()

    @guarded
    def on_train_end(self, logs: Any = None) -> None:  # noqa: D102
        self._watch.fit_ends(self)
        with guard_of(self).on_host():
            self._fit_ends()
        self._messages.say()


def _has_own_batch_end(kind: type[Monitor]) -> bool:
    return kind.on_batch_end is not keras.callbacks.Callback.on_batch_end
