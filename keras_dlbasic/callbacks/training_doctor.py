"""The one callback for those who do not know which one they need."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

from keras_dlbasic._display import html_of
from keras_dlbasic._keras.callbacks import model_of
from keras_dlbasic.callbacks.arguments import check_rows
from keras_dlbasic.callbacks.fit_watch import FitWatch
from keras_dlbasic.callbacks.given_data import GivenData
from keras_dlbasic.callbacks.guarded import guard_of, guarded
from keras_dlbasic.callbacks.monitor import Monitor
from keras_dlbasic.callbacks.not_fitted import NotFittedError
from keras_dlbasic.callbacks.probe_looks import ProbeLooks
from keras_dlbasic.callbacks.validation_batches import ValidationBatches
from keras_dlbasic.diagnosis import SEVERITIES, Diagnosis, Finding, Rule, diagnose
from keras_dlbasic.diagnosis.early_word import early_word
from keras_dlbasic.diagnosis.registry import checked_rules
from keras_dlbasic.gradients.sampling import Every, check_every, is_long_fit
from keras_dlbasic.inspection.fit_data import form_of, form_of_fit_data, is_validated
from keras_dlbasic.records import TrainingRecord

CERTAIN = 0.9
"""Confidence from which a finding is said, or stops, in the middle of a fit."""

EARLY, LAST_EARLY = 2, 8
"""Number of epochs between which a silent run is looked at for what is plain."""


class TrainingDoctor(Monitor):
    """Find out why a model does not learn, during training and at its end.

    Records the gradients (as `GradientNormMonitor` does), the curves, and the model's
    activations and predictions on a probe batch. The record is judged by `diagnose`, so
    a saved `.record` gives the same verdict later. Training, saving and logs are not
    changed.

    The probe is evaluated before the first step, after each of the first epochs, then
    less often, and at the end. All evaluations together are at most 2 % of the work of
    the fit, 1 % if it has 1,000 steps or more. So short fits have fewer evaluations (at
    least four) on fewer rows (at least 32); `record.tables["probe"]["rows"]` has their
    number.

    Args:
        x: Training inputs with samples first: arrays, tensors, data frames, lists or
            structures of these. They may include the rows that `fit` holds out by
            `validation_split`; these count as validation. Defaults to None: rows of the
            batches of the first epoch are used. This is also the case for a data set or
            a generator, which is never read separately. The report says which checks
            are not possible then.
        y: Training targets, in the same forms; None with a data set.
        validation_data: `(x, y)` for validation, to be compared with `x` and `y`.
            Defaults to None: the rows that `fit` holds out, if they are known, or rows
            of the batches of the first validation. This is also the case for a data set
            or a generator, which is never read separately.
        every: At which steps gradients are measured, see `GradientNormMonitor`.
        stop_on: `"critical"` or `"warning"`: stop training when a finding of that
            severity is certain. This is checked after the epochs in which the probe is
            evaluated (see above). Defaults to None: never.
        rows: Number of rows of the probe, evenly spaced in `x`. Simple baseline
            predictors use all of them; in a short fit the model runs on fewer. Defaults
            to `256`.
        verbose: 0: silent; 1 (default): print certain findings between epochs, and the
            report at the end. If several fits in a row end with the same findings, only
            the first report is printed in full.
        record: A `TrainingRecord` to write to, shared with other callbacks. Defaults to
            None: a new one for each fit.
        rules: The rules to apply, as for `diagnose`. Defaults to None: all.

    Attributes:
        diagnosis: The `Diagnosis` so far. Raises a `NotFittedError` (a `ValueError` and
            an `AttributeError`) before the probe was evaluated after an epoch, unless a
            critical finding is known before the first step.
        record: The `TrainingRecord` of the current or last fit. Raises a
            `NotFittedError` before the first fit.

    Raises:
        ValueError: If an argument is out of range, `y` is given without `x`, or the
            data do not fit each other or, at the start of `fit`, the model.

    Example:
    >>> import keras, numpy as np
    >>> import keras_dlbasic as kd
    >>> x = np.random.default_rng(0).normal(size=(64, 4))
    >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1, "sigmoid")])
    >>> model.compile(optimizer="sgd", loss="mse")
    >>> y = 50 + 10 * x[:, 0]
    >>> doctor = kd.callbacks.TrainingDoctor(x, y, verbose=0)
    >>> history = model.fit(x, y, epochs=2, verbose=0, callbacks=[doctor])
    >>> doctor.diagnosis[0].name
    'output_activation_mismatch'
    """

    _reads_weights = False  # it judges what others see, too

    def __init__(
        self,
        x: Any = None,
        y: Any = None,
        *,
        validation_data: Any = None,
        every: Every = "auto",
        stop_on: str | None = None,
        rows: int = 256,
        verbose: int = 1,
        record: TrainingRecord | None = None,
        rules: Iterable[Rule] | None = None,
    ) -> None:
        super().__init__(record, verbose)
        _check(stop_on, rows)
        self.x, self.y = x, y
        self.validation_data = validation_data
        self._data = GivenData(x, y, validation_data)
        self.every = check_every(every)
        self.stop_on = stop_on
        self.rows = rows
        self.rules = None if rules is None else checked_rules(rules)
        self._diagnosis: Diagnosis | None = None
        self._printed: Diagnosis | None = None
        self._is_in_fit = False

    @property
    def diagnosis(self) -> Diagnosis:  # noqa: D102 - see above
        if self._diagnosis is None:
            raise NotFittedError(self, "diagnosis")
        return self._diagnosis

    def __repr__(self) -> str:
        found = self._diagnosis
        said = "not fitted yet" if found is None else repr(found).strip("<>")
        return f"<TrainingDoctor: {said}>"

    def _repr_html_(self) -> str:
        if self._diagnosis is None:
            from keras_dlbasic.reports.cell import cell, paragraph

            return cell(paragraph("This TrainingDoctor is not fitted yet."))
        return html_of(self._diagnosis)

    def _join(self) -> FitWatch:
        data = self._data.arrays(model_of(self))
        self._looks = ProbeLooks(*data, self.rows, model=model_of(self))
        return FitWatch.join(
            self,
            self.every,
            self._given_record,
            batch_listener=self._looks.batches.take,
            reads=True,
        )

    @property
    def _stops_by_own_data(self) -> bool:
        return self.stop_on is not None

    @guarded
    def on_test_batch_begin(self, batch: int, logs: Any = None) -> None:  # noqa: D102
        batches = self._looks.validation if self._is_in_fit else None
        if batches is not None:
            with guard_of(self).on_host():
                batches.step_begins(batch)

    @guarded
    def on_test_end(self, logs: Any = None) -> None:  # noqa: D102
        if self._is_in_fit and self._looks.validation is not None:
            self._looks.validation.ends()

    def _fit_begins(self) -> None:
        self._diagnosis = None
        self._is_in_fit = True
        if self._processes.count == 1:  # else each has a part of the rows
            guard = guard_of(self)
            self._looks.validation = ValidationBatches(model_of(self), guard)
        self._said: set[tuple[str, str | None]] = set()
        self._has_warned = False
        self._epochs = 0
        self._has_looked = False
        epochs, steps = self.params.get("epochs") or 1, self.params.get("steps")
        self._looks.plan_for(epochs, None, is_long=is_long_fit(epochs, steps))
        form = form_of_fit_data() or form_of(self.x)
        self.record.note(given=self._data.names, data_form=form)
        self._looks.may_validate = is_validated() is not False
        if self.model.built:
            self._examine(self.record.last_epoch)
        else:
            before = self.record.last_epoch
            self._watch.when_built(lambda: self._examine(before))

    @property
    def _asks_each_step(self) -> bool:
        return not self._looks.is_examined

    def _step_begins(self, batch: int) -> None:
        # a model that had no weights until its first step was run
        if self._count.so_far and not self._looks.is_examined:
            self._examine(self._watch.in_record(self._epoch))

    def _examine(self, epoch: int) -> None:
        guard, steps = guard_of(self), self._count.so_far
        self._looks.examine(self.model, self.record, guard, epoch, steps)
        if not steps and self._looks.is_examined:
            with guard.on_host():
                self._judge_before()

    def _judge_before(self) -> None:
        """Say before the first step what is certain by then.

        Labels that are out of range have TensorFlow and PyTorch raise in that step, and
        then no other hook of a callback is called.
        """
        diagnosis = diagnose(self.record, live=True, rules=self.rules)
        if any(finding.severity == "critical" for finding in diagnosis):
            self._diagnosis = diagnosis
            self._say_critical()
            self._messages.say()  # no progress bar has begun

    def _epoch_ends(self, epoch: int, logs: dict[str, Any]) -> None:
        self._epochs += 1
        self._has_looked = False
        if self._epochs == 1:
            self._plan(epoch)
        self._read(logs)
        if not self._looks.plan.is_due(self._epochs):
            if self._epochs == EARLY:  # the look before tells enough
                with guard_of(self).on_host():
                    self._say_early()
            return
        self._look()
        self._judge(live=True)
        self._speak()

    def _fit_ends(self) -> None:
        self._is_in_fit = False
        if self._looks.validation is not None:
            self._looks.validation.ends()
        if self._epochs and not self._has_looked:
            self._look()
        self._looks.last_look(self.model, self.record, guard_of(self))
        self._looks.drop()
        self._judge(live=False)
        self._messages.say()
        if self.verbose and not self._processes.is_silent:
            from keras_dlbasic.reports.repeated import print_new

            print_new(self.diagnosis, self._printed)
            self._printed = self.diagnosis

    def report_html(
        self, path: str | os.PathLike[str], *, title: str | None = None
    ) -> None:
        """Write the diagnosis with plots as one HTML page (`reports.write_html`).

        Args:
            path: Path of the file. An existing file is replaced.
            title: Name of the run. Defaults to None: that of the model.

        Raises:
            NotFittedError: If there is no diagnosis yet.
        """
        diagnosis = self.diagnosis
        if title is None:
            title = f"Training of {self.record.facts.model_name or 'a model'}"
        diagnosis.to_html(path, title=title)

    def _look(self) -> None:
        self._has_looked = True
        epoch = self._watch.in_record(self._epoch)
        if not self._looks.is_examined:  # the epoch had one step
            self._examine(epoch)
        with guard_of(self).on_host():
            self._looks.look(self.model, self.record, epoch)

    def _plan(self, first_epoch: int) -> None:
        """Plan the looks anew, by the rows that the first epoch has trained."""
        size = self.record.facts.batch_size
        rows = size * self._count.so_far if size else None
        epochs = self.params.get("epochs") or 1
        is_long = is_long_fit(epochs, self._count.n)
        self._looks.plan_for(max(1, epochs - first_epoch), rows, is_long=is_long)

    def _read(self, logs: dict[str, Any]) -> None:
        steps = self.params.get("steps") or self._count.so_far // self._epochs
        guard = guard_of(self)
        with guard.on_host():
            self._looks.read(self.model, self.record, guard, steps=steps, logs=logs)

    def _judge(self, *, live: bool) -> None:
        self._diagnosis = diagnose(self.record, live=live, rules=self.rules)

    def _speak(self) -> None:
        self._say_critical()
        self._say_early()
        for finding in self._certain():
            if self.stop_on and finding.rank >= SEVERITIES.index(self.stop_on):
                model_of(self).stop_training = True

    def _say_critical(self) -> None:
        """Say what is critical, each of it once in a fit."""
        from keras_dlbasic.reports.repeated import is_in

        for finding in self._certain():
            said = finding.name, finding.output
            if finding.severity == "critical" and said not in self._said:
                self._said.add(said)
                # what the report of the last fit says stands there
                if self.verbose and not is_in(finding, self._printed):
                    self._messages.add(str(finding))

    def _say_early(self) -> None:
        """Break a long silence where it is plain that nothing will be learned."""
        planned = self.params.get("epochs") or 0
        is_long = self._epochs >= EARLY and planned > self._epochs
        if not self.verbose or self._said or self._has_warned or not is_long:
            return
        if self._epochs <= LAST_EARLY and (text := early_word(self.record, self.rules)):
            self._has_warned = True
            self._messages.add(text)

    def _certain(self) -> list[Finding]:
        return [f for f in self.diagnosis.top_level if f.confidence >= CERTAIN]


def _check(stop_on: Any, rows: Any) -> None:
    check_rows(rows)
    if stop_on not in (None, "warning", "critical"):
        raise ValueError(
            f'`stop_on` must be "critical", "warning" or None. Received: {stop_on!r}'
        )
