"""One fit being watched, for all callbacks of this package in it."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Mapping
from typing import Any

import keras
import numpy as np

from keras_dlbasic._backends import processes
from keras_dlbasic._backends.guard import Guard
from keras_dlbasic._backends.processes import Processes, processes_of
from keras_dlbasic._backends.row_layout import RowLayouts
from keras_dlbasic._keras.callbacks import model_of
from keras_dlbasic._keras.graph import printable_path
from keras_dlbasic.callbacks.fit_log import FitLog
from keras_dlbasic.callbacks.row_fetcher import RowFetcher
from keras_dlbasic.callbacks.step_plan import StepPlan
from keras_dlbasic.gradients import GradientTap
from keras_dlbasic.gradients.limits import reason_not_to_watch
from keras_dlbasic.gradients.sampling import Every
from keras_dlbasic.inspection.run_facts import run_facts
from keras_dlbasic.records import TrainingRecord

FIRST_STEP = 2**62
"""As `every`: the first step of the fit only."""

BatchListener = Callable[[Any, Any, Any], bool]
"""Takes inputs, targets and sample weights; returns whether it has enough."""

_watches: weakref.WeakKeyDictionary[Any, weakref.ref[FitWatch]] = (
    weakref.WeakKeyDictionary()
)


class FitWatch(FitLog):
    """Takes the rows of a fit to a record, at the steps that its callbacks ask for.

    The callbacks of one `fit` share a watch: the first that joins drives it, calls of
    the others change nothing. A `StepPlan` says which steps are sampled, a `RowFetcher`
    takes their rows to the record.

    Attributes:
        last_epoch: Mean of the global gradient norm over the sampled steps of the epoch
            that ended last, NaN if there was none.
    """

    def __init__(self, model: Any, params: Mapping[str, Any]) -> None:
        self._processes = Processes() if model is None else processes_of(model)
        guard = Guard(is_silent=self._processes.is_silent)
        super().__init__(TrainingRecord(), guard)
        self.last_epoch = float("nan")
        self._model = model
        self._params = params
        self._plan = StepPlan(params)
        self._rows = RowFetcher(model, self.guard)
        self._batch_listeners: list[BatchListener] = []
        self._only_read: set[int] = set()  # steps that nobody wants the rows of
        self._tap: GradientTap | None = None
        self._driver: Any = None
        self._has_given_record = False
        self._offset = 0  # steps of the record before this fit
        self._epoch = 0
        self._open_epoch: int | None = None
        self._has_armed = self._has_agreed = False
        self._has_seen_a_step = False

    @classmethod
    def join(
        cls,
        callback: Any,
        every: Every,
        record: TrainingRecord | None = None,
        row_listener: Callable[[int, np.ndarray], None] | None = None,
        batch_listener: BatchListener | None = None,
        *,
        reads: bool = False,
    ) -> FitWatch:
        """Return the watch of the fit that `callback` is in.

        Args:
            callback: A Keras callback, in its `on_train_begin`. Its `_is_refit` is
                what `has_train_function` told in `set_model`.
            every: At which steps it wants gradients.
            record: Where to record; continued if it has rows. Defaults to a new one.
            row_listener: Called with the number and row of each sampled step, at once:
                this waits for the step.
            batch_listener: Called with the first 256 rows of the inputs, targets and
                sample weights of each sampled step, `()` and None where they cannot be
                had, until it returns True.
            reads: Whether it is to be called at the steps of `reading_plan` instead,
                sampled or not. Defaults to `False`.

        Raises:
            ValueError: If two callbacks of a fit ask for different records, or if
                `record` is about other variables.
        """
        model, params = model_of(callback), callback.params
        if params is None:  # its hooks are called by hand
            params = {}
        # Keras gives the callbacks of one fit the same `params`, and those of the next
        # fit others. So identity tells whether a watch of the model is that of this
        # fit.
        known = _watches.get(model)
        watch = known() if known is not None else None
        if watch is None or watch._params is not params:
            watch = cls(model, params)
            _watches[model] = weakref.ref(watch)
        watch._add(callback, every, record)
        if row_listener is not None:
            watch._rows.listen(row_listener)
        if batch_listener is not None and watch._tap is not None:
            if reads:
                watch._plan.ask_to_read()
                batch_listener = watch._at_steps_to_read(batch_listener)
            watch._batch_listeners.append(batch_listener)
            watch._tap.batch_sink = watch._receive_batch
        return watch

    def when_built(self, listener: Callable[[], None]) -> None:
        """Have a listener called before the first step, when the model has weights.

        It is not called where steps are not watched, or where only the first step
        itself makes the weights: run eagerly, on TensorFlow.
        """
        if self._tap is not None:
            self._tap.on_built = listener

    def _add(self, callback: Any, every: Every, record: TrainingRecord | None) -> None:
        # Hooks of all callbacks are called in turn, but a step may be armed only once:
        # the first callback that joined drives the watch, and the others share what it
        # gives.
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
                known = self.record.facts
                self.record.facts = run_facts(self._model, self._params, known)
        self._plan.ask(every)

    def _make_tap(self, is_refit: bool) -> None:
        reason = reason_not_to_watch(self._model, is_refit=is_refit)
        if reason is None:
            self._tap = GradientTap(self._model, self._receive, self.guard)
            # on TensorFlow and JAX also how data of unknown length end
            self._tap.on_failure = self._plan.step_failed
            self._tap.on_noticed = self._note_facts
        else:
            self.guard.say(f"Gradients are not watched: {reason}.")

    @property
    def first_step(self) -> int:
        """Number in the record of the first step of this fit."""
        return self._offset

    # -- hooks, to be called from those of the callbacks --------------------------

    def epoch_begins(self, callback: Any, epoch: int) -> None:
        """Plan the steps of an epoch."""
        if vars(self._driver).get("_is_off"):
            self._driver = callback  # the first one failed as the fit began
        if callback is not self._driver or self._open_epoch == epoch:
            return
        with self.guard.on_host():
            self._agree()
            self._number_from(epoch)
            self._open_epoch = epoch
            self._epoch = self.in_record(epoch)
            self._plan.epoch_begins()

    def _agree(self) -> None:
        """Before the first step, see that all processes measure the same steps.

        A measured step has parts that the devices do together. One process that
        measured alone would wait for the others for ever.
        """
        if self._has_agreed:
            return
        self._has_agreed = True
        if self._processes.count == 1:
            return
        plan = str(
            [self._tap is not None, bool(self._batch_listeners), str(self._plan)]
        )
        plans = self._processes.together("the steps to measure", plan)
        if plans is None or len(set(plans)) > 1:
            tap, self._tap = self._tap, None
            if tap is None:
                return
            # A process without callbacks never answers, as one that comes too late.
            reason = (
                f"not all {self._processes.count} processes started the first epoch "
                f"with callbacks of keras_dlbasic within {processes.SECONDS:g} s. Pass "
                "the same callbacks in every process, and synchronize the processes "
                "before `fit`."
                if plans is None
                else "the processes were given different callbacks. Pass the same "
                "callbacks in every process; only process 0 prints messages."
            )
            self.guard.say(f"Gradients are not watched: {reason}")

    def step_begins(self, callback: Any, step: int) -> None:
        """Arm the tap if the step `step` of the epoch is to be measured."""
        if callback is not self._driver:
            return
        try:
            self._arm(step)
        except Exception as error:
            if not self.guard.catch(error):
                raise

    def _arm(self, step: int) -> None:
        # The plan counts the steps even if no gradients are watched: the record has the
        # number of steps that were trained.
        is_planned = self._plan.steps_begin(step, self._model.steps_per_execution)
        if self._tap is None or self._tap.is_refused:
            return
        # A step that is not planned runs Keras' own function, untouched. Without a
        # known length the tap is informed of each step all the same: one in which the
        # data end must not be counted.
        if is_planned:
            self._has_armed = True
            self._tap.arm(self._offset + self._plan.steps - 1)
        elif self._plan.must_read and self._batch_listeners:
            self._only_read.add(self._offset + self._plan.steps - 1)
            self._tap.arm(self._offset + self._plan.steps - 1)
        elif self._plan.steps_per_epoch is None or self._tap.must_see_every_step:
            self._tap.arm(None)

    def due_steps(self, callback: Any) -> frozenset[int] | None:
        """Return the steps of the epoch that it has to know of, None for all."""
        if callback is not self._driver:
            return frozenset()
        must_see = self._tap is not None and self._tap.must_see_every_step
        if must_see or self._model.steps_per_execution != 1:
            return None
        return self._plan.due

    def epoch_ends(
        self, callback: Any, epoch: int, logs: Mapping[str, Any], steps: int
    ) -> None:
        """Fetch the rows of the epoch, of `steps` steps, and keep its logs."""
        self.log(epoch, logs)  # each callback may have added some
        if callback is not self._driver or self._open_epoch is None:
            return
        self._open_epoch = None
        self.last_epoch = float("nan")
        with self.guard.on_host():
            self._rows.fetch(self.record)
            self._close_epoch(steps)

    def _close_epoch(self, steps: int) -> None:
        self._plan.epoch_ends(steps)
        self.record.trained_steps = self._offset + self._plan.steps
        self.last_epoch = self._rows.take_mean_norm()
        is_refused = self._tap is not None and self._tap.is_refused
        is_unseen = not (self._has_seen_a_step or self.guard.has_ended or is_refused)
        if self._has_armed and is_unseen:
            self._has_seen_a_step = True  # is said once
            self.guard.say(
                "Gradients are not watched: no step of this epoch went through "
                "`model.fit`. Steps of `train_on_batch` and of loops of your own are "
                "not watched. Call `model.fit(..., callbacks=[...])`."
            )

    def fit_ends(self, callback: Any) -> None:
        """Fetch what is left and let go of the model."""
        if callback is not self._driver:
            return
        with self.guard.on_host():
            self._rows.fetch(self.record)
        self.record.trained_steps = self._offset + self._plan.steps
        if self._tap is not None:
            with self.guard.on_host():
                self._tap.disarm()

    def is_about(self, model: Any) -> bool:
        """Return whether this watch is, or was, that of a fit of `model`."""
        return self._model is model

    def __getstate__(self) -> dict[str, Any]:
        """Return what a copy keeps: what was measured, and nothing of the fit."""
        # The tap, the model and what waits on the device cannot be copied or pickled.
        kept = FitWatch(None, {})
        kept.record, kept.last_epoch = self.record, self.last_epoch
        return vars(kept)

    # -- what the tap gives --------------------------------------------------------

    def _note_facts(self, facts: dict[str, Any]) -> None:
        self.record.note(**facts)

    def _receive(self, step: int, row: Any, layouts: RowLayouts | None) -> None:
        self._has_seen_a_step = True
        if layouts is not None and step not in self._only_read:
            self._rows.add(step, self._epoch, row, layouts)
        if self._rows.is_due:
            self._rows.fetch(self.record)

    def _receive_batch(self, rows: Any) -> None:
        rows = rows or ((), None, None)
        waiting = self._batch_listeners
        self._batch_listeners = [f for f in waiting if self._asks_on(f, rows)]

    def _asks_on(self, listener: BatchListener, rows: tuple[Any, Any, Any]) -> bool:
        """Show a batch to a listener; tell whether it asks for another."""
        has_enough = True
        with self.guard.on_host():
            has_enough = listener(*rows)
        return not has_enough

    def _at_steps_to_read(self, listener: BatchListener) -> BatchListener:
        def listen(x: Any, y: Any, weights: Any) -> bool:
            return self._plan.is_read and listener(x, y, weights)

        return listen


def has_train_function(model: Any) -> bool:
    """Return whether Keras goes on with the train function of an earlier fit.

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
