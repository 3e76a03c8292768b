"""The one callback for those who do not know which one they need."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

import keras
import numpy as np

from keras_dlbasic.analysis.activations.statistics import MEASURES as ACTIVATIONS
from keras_dlbasic.callbacks.arguments import check_record, check_sample, check_verbose
from keras_dlbasic.callbacks.copies import state_without_model
from keras_dlbasic.callbacks.fit_watch import FitWatch
from keras_dlbasic.callbacks.guarded import guard_of, guarded
from keras_dlbasic.callbacks.messages import Messages
from keras_dlbasic.diagnosis import SEVERITIES, Diagnosis, Rule, diagnose
from keras_dlbasic.diagnosis.run import Run
from keras_dlbasic.gradients.sampling import Every, check_every
from keras_dlbasic.inspection.collect import arrays_of, data_facts, output_shapes
from keras_dlbasic.inspection.network_facts import network_facts
from keras_dlbasic.inspection.probe import MEASURES as PROBED
from keras_dlbasic.inspection.probe import Probe
from keras_dlbasic.records import LayerTable, TrainingRecord

DENSE_EPOCHS = 8
GROWTH = 1.2


class TrainingDoctor(keras.callbacks.Callback):
    """Find out what is wrong with a run, while it is trained and at its end.

    Watches the gradients (as `GradientNormMonitor` does), the curves, and the model's
    activations and predictions on a probe batch; then judges all of it as `diagnose`
    does, so that a saved `.record` gives the same verdict. Nothing changes in what is
    trained, saved or logged.

    The probe is looked at after each of the first epochs and then ever more rarely (at
    epochs a fifth further apart each), and at the end.

    Args:
        x: Training inputs: arrays. Defaults to None: up to 256 rows of the batches that
            are trained first are kept. The report says what that rules out.
        y: Training targets: arrays.
        validation_data: `(x, y)` of the validation, to be compared with `x` and `y`.
            Defaults to None.
        every: At which steps gradients are measured, see `GradientNormMonitor`.
        stop_on: `"critical"` or `"warning"`: stop training when something of that
            severity is found for sure. Defaults to None: never.
        rows: Number of rows of the probe, taken evenly from `x`. Defaults to `256`.
        verbose: 0: silent; 1 (default): speak up early when sure, and report at the
            end.
        record: A `TrainingRecord` to write to, shared with other callbacks. Defaults to
            None: a new one for each fit.
        rules: The rules to judge by, as for `diagnose`. Defaults to None: all.

    Attributes:
        diagnosis: The `Diagnosis` so far; None before the first epoch.
        record: The `TrainingRecord` of the current or last fit.

    Raises:
        ValueError: If an argument is out of range, or `y` is given without `x`.

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
        super().__init__()
        _check(x, y, stop_on, rows, verbose, record)
        self.x, self.y = x, y
        self.validation_data = validation_data
        self.every = check_every(every)
        self.stop_on = stop_on
        self.rows = rows
        self.verbose = verbose
        self.rules = None if rules is None else tuple(rules)
        self.diagnosis: Diagnosis | None = None
        self._given_record = record
        self._watch: Any = None
        self._messages = Messages()

    @property
    def record(self) -> TrainingRecord | None:  # noqa: D102 - see the class
        return self._given_record if self._watch is None else self._watch.record

    def set_model(self, model: Any) -> None:  # noqa: D102
        super().set_model(model)
        self._is_refit = vars(model).get("train_function") is not None

    def __getstate__(self) -> dict[str, Any]:
        return state_without_model(self)

    @guarded
    def on_train_begin(self, logs: Any = None) -> None:  # noqa: D102
        self.diagnosis = None
        self._said: set[str] = set()
        listen = self._gather if self.x is None else None
        self._watch = FitWatch.join(
            self, self.every, self._given_record, data_listener=listen
        )
        self._gathered: list[tuple[Any, Any]] = []
        self._probe: Probe | None = None
        self._probe_offset = 0
        self._steps = 0
        self._next_probe = 1.0
        self._epochs = 0
        self._examine()

    @guarded
    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:  # noqa: D102
        self._watch.epoch_begins(self, epoch)
        self._messages.say()

    @guarded
    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:  # noqa: D102
        self._watch.step_begins(self, batch)

    @guarded
    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:  # noqa: D102
        self._watch.epoch_ends(self, epoch, logs or {})
        self._epoch = epoch
        self._epochs += 1
        self._is_probed = False
        if self._epochs < self._next_probe:
            return
        if self._epochs >= DENSE_EPOCHS:
            self._next_probe = max(self._epochs + 1.0, self._next_probe * GROWTH)
        with guard_of(self).on_host():
            self._look()
        self._judge(live=True)
        self._speak()

    @guarded
    def on_train_end(self, logs: Any = None) -> None:  # noqa: D102
        self._watch.fit_ends(self)
        if self._epochs and not self._is_probed:
            with guard_of(self).on_host():
                self._look()
        self._judge(live=False)
        self._messages.say()
        if self.verbose and self.diagnosis is not None:
            from keras_dlbasic.reports import print_diagnosis

            print_diagnosis(self.diagnosis)

    def report_html(
        self, path: str | os.PathLike[str], *, title: str | None = None
    ) -> None:
        """Write the diagnosis with pictures as one page (`reports.write_html`).

        Args:
            path: Where to write; a file that is there is replaced.
            title: Name of the run. Defaults to None: that of the model.

        Raises:
            RuntimeError: If no fit has begun yet.
        """
        if self.diagnosis is None or self.record is None:
            raise RuntimeError(
                "There is nothing to report yet. Call `model.fit(..., "
                "callbacks=[doctor])` first."
            )
        if title is None:
            title = f"Training of {self.record.facts.get('model', 'a model')}"
        self.diagnosis.to_html(path, title=title)

    # -- looking -----------------------------------------------------------------

    def _examine(self) -> None:
        """Note what is known before the first step."""
        record, model = self.record, self.model
        assert record is not None
        if not model.built:
            return
        guard = guard_of(self)
        with guard.on_host():
            record.facts["network"] = network_facts(model, self.x)
        if self.x is None:
            return
        with guard.on_host(ValueError, TypeError):  # of what the user gave
            data = data_facts(
                self.x, self.y, self.validation_data, output_shapes=output_shapes(model)
            )
            record.facts["data"] = {"source": "given", **data}
            self._make_probe(self.x, self.y)
        with guard.on_host():
            self._look()

    def _gather(self, x: Any, y: Any) -> bool:
        """Keep the rows of a batch; returns whether there are enough."""
        rows = keras.tree.map_structure(
            lambda leaf: None if leaf is None else keras.ops.convert_to_numpy(leaf),
            (x, y),
        )
        shapes = [
            [np.shape(leaf)[1:] for leaf in keras.tree.flatten(known)]
            for known in (rows, *self._gathered[:1])
        ]
        if shapes[0] != shapes[-1]:
            return True  # of another length, which cannot be joined
        self._gathered.append(rows)
        n = sum(len(keras.tree.flatten(x)[0]) for x, _ in self._gathered)
        return n >= self.rows

    def _use_gathered(self) -> None:
        """Make a probe of the batches that were trained first."""
        gathered, self._gathered = self._gathered, []
        assert self.record is not None
        x, y = keras.tree.map_structure(_joined, *gathered)
        shapes = output_shapes(self.model)
        data = {"source": "first batches", **data_facts(x, y, output_shapes=shapes)}
        facts = self.record.facts
        size, steps = facts.get("batch_size"), self.params.get("steps")
        data["n_rows"] = size * steps if size and steps else None
        facts["data"] = data
        self._make_probe(x, y)

    def _make_probe(self, x: Any, y: Any) -> None:
        record, model = self.record, self.model
        assert record is not None
        if any(i.get("non_finite") for i in record.facts["data"]["inputs"]):
            return  # the model has nothing to say on such rows
        shape = getattr(model, "output_shape", None)
        kind = record.facts.get("loss")
        task = Run(record).task
        self._probe = Probe(x, y, model.loss, kind, self.rows, shape, task=task)
        record.facts["probe"] = self._probe.facts(shape)
        table = record.tables.get("probe")
        if table is not None and len(table):  # a continued record
            self._probe_offset = int(table.steps[-1]) + 1

    def _look(self) -> None:
        """Run the model on the probe."""
        self._is_probed = True
        record = self.record
        if self._gathered:
            self._use_gathered()
        if self._probe is None or record is None:
            return
        try:
            said, labels, layers = self._probe.measure(self.model)
        except Exception as error:  # a model that runs in `fit` only; go on without
            self._probe = None
            record.facts["probe"]["failed"] = f"{type(error).__name__}: {error}"[:300]
            return
        step = max(self._probe_offset, record.trained_steps)
        epoch = getattr(self, "_epoch", 0) if self._epochs else -1
        _append(record, "probe", ("model",), PROBED, step, epoch, [said])
        _append(record, "activations", tuple(labels), ACTIVATIONS, step, epoch, layers)

    # -- judging -----------------------------------------------------------------

    def _judge(self, *, live: bool) -> None:
        assert self.record is not None
        self.diagnosis = diagnose(self.record, live=live, rules=self.rules)

    def _speak(self) -> None:
        assert self.diagnosis is not None
        least = SEVERITIES.index("critical")
        for finding in self.diagnosis:
            if finding.confidence < 0.9 or finding.explained_by:
                continue
            if finding.rank >= least and finding.name not in self._said:
                self._said.add(finding.name)
                if self.verbose:
                    self._messages.add(str(finding))
            if self.stop_on and finding.rank >= SEVERITIES.index(self.stop_on):
                self._model.stop_training = True


def _joined(*parts: Any) -> Any:
    return None if parts[0] is None else np.concatenate(parts)


def _append(
    record: TrainingRecord,
    name: str,
    labels: tuple[str, ...],
    measures: tuple[str, ...],
    step: int,
    epoch: int,
    columns: list[dict[str, float]],
) -> None:
    table = record.tables.get(name)
    if table is None or table.labels != labels or table.measures != measures:
        table = record.tables[name] = LayerTable(labels, measures)
    if len(table) and table.steps[-1] >= step:
        return  # no step since
    values = {
        measure: np.array([column.get(measure, np.nan) for column in columns])
        for measure in measures
    }
    table.append(step, epoch, values)


def _check(x: Any, y: Any, stop_on: Any, rows: Any, verbose: Any, record: Any) -> None:
    check_sample(x, y, rows)
    if x is not None and not arrays_of(x):
        raise ValueError(
            "`x` must be an array, or a structure of arrays. Received an object of "
            f"type {type(x).__name__}. Of a data set, give a part as arrays, or leave "
            "`x` out: the batches that are trained first then serve."
        )
    if stop_on not in (None, "warning", "critical"):
        raise ValueError(
            f'`stop_on` must be "critical", "warning" or None. Received: {stop_on!r}'
        )
    check_verbose(verbose)
    check_record(record)
