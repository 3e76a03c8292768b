"""Overfitting, told while a model is fitted."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from keras_dlbasic._keras.callbacks import model_of
from keras_dlbasic._keras.compiled_metrics import logged_names
from keras_dlbasic._nearest import nearest
from keras_dlbasic.analysis import OverfittingVerdict, detect_overfitting
from keras_dlbasic.callbacks.arguments import check_rows
from keras_dlbasic.callbacks.monitor import Monitor
from keras_dlbasic.callbacks.training_sample import TrainingSample
from keras_dlbasic.inspection.run_facts import run_facts
from keras_dlbasic.records import TrainingRecord

EVALUATED = "evaluated_"
"""Prefix in the record of what was measured on the sample in inference mode."""


class OverfittingDetector(Monitor):
    """Say when a model begins to overfit, from its curves so far.

    After every epoch with validation, `analysis.detect_overfitting` compares the
    training loss and the validation loss. Keras' training loss is a mean over the
    epoch, with dropout on and while the weights were moving; given `x` and `y`, the
    loss is measured on them anew, after the epoch and in inference mode, as the
    validation loss is. Nothing changes in what is trained, saved or logged.

    Args:
        x: Training inputs to measure the training loss on: arrays, or a data set that
            can be read again and again. Defaults to None: the logged loss is taken.
        y: Training targets, None with a data set.
        rows: Up to so many rows of `x` and `y` are used, taken evenly. Defaults to
            `1024`.
        metric: Name of a metric, such as `"accuracy"`, to be judged apart. Defaults to
            None.
        mode: `"max"` if that metric is to be maximised (default), `"min"` if minimised.
        stop: Whether to stop training when overfitting is found. Defaults to `False`.
        verbose: Whether to say what is found, between epochs. 0 or 1. Defaults to `1`.
        record: A `TrainingRecord` to write the epochs to; a continued one is judged as
            a whole. Defaults to None: a new one for each fit.

    Attributes:
        verdict: The `analysis.OverfittingVerdict` on the epochs so far; None before the
            first.
        record: The `TrainingRecord` of the current or last fit, None before the first.
            What was measured on `x` and `y` is under `"evaluated_loss"`, ...
        loss_source: `"evaluated"` or `"logged"`.

    Raises:
        ValueError: If an argument is out of range, `x` and `y` do not fit together, or,
            as `fit` begins, the model has no such metric.

    Example:
    >>> import keras, numpy as np
    >>> import keras_dlbasic as kd
    >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
    >>> model.compile(optimizer="sgd", loss="mse")
    >>> x, y = np.ones((64, 4)), np.ones((64, 1))
    >>> detector = kd.callbacks.OverfittingDetector(x, y)
    >>> history = model.fit(
    ...     x, y, validation_split=0.5, epochs=6, verbose=0, callbacks=[detector]
    ... )
    >>> detector.verdict.detected, detector.loss_source
    (False, 'evaluated')
    """

    def __init__(
        self,
        x: Any = None,
        y: Any = None,
        *,
        rows: int = 1024,
        metric: str | None = None,
        mode: Literal["min", "max"] = "max",
        stop: bool = False,
        verbose: int = 1,
        record: TrainingRecord | None = None,
    ) -> None:
        super().__init__(record, verbose)
        _check(x, y, rows, mode)
        self.metric = metric
        self.mode = mode
        self.stop = stop
        self.verdict: OverfittingVerdict | None = None
        self.loss_source = "logged" if x is None else "evaluated"
        self._sample = None if x is None else TrainingSample(x, y, rows)
        self._is_said = False

    def _fit_begins(self) -> None:
        assert self.record is not None
        known = self.record.facts
        self.record.facts = run_facts(model_of(self), self.params or {}, known)
        self.verdict = None
        self._is_said = False
        names = logged_names(model_of(self))
        if self.metric is not None and names is not None:
            self._check_metric(names)

    def _check_metric(self, names: list[str]) -> None:
        assert self.metric is not None
        name = self.metric.removeprefix("val_")
        if self.metric in names:
            return
        way = f"Give {name!r} alone." if name in names else nearest(name, names)
        raise ValueError(
            "`metric` must be the name of a metric that the model was compiled with. "
            f"Received: metric={self.metric!r}. {way}"
        )

    def _epoch_ends(self, epoch: int, logs: dict[str, Any]) -> None:
        has_validation = "val_loss" in logs
        if self._sample is not None and has_validation:
            measured = self._sample.evaluate(self.model)
            self._watch.log(
                epoch, {EVALUATED + name: value for name, value in measured.items()}
            )
        if has_validation or self.verdict is None:
            self.verdict = self._judge()
        if has_validation and self.verdict.detected:
            self._act()

    def _fit_ends(self) -> None:
        if self.verdict is not None:
            if self._is_said and not self.verdict.detected:
                self._add(f"Withdrawn at the end: {self.verdict.reason}")
            elif self._is_said:
                self._add(f"At the end: {self.verdict.reason}")
            elif self.verdict.pattern == "no_validation":
                self._add(self.verdict.reason)

    def _judge(self) -> OverfittingVerdict:
        assert self.record is not None
        epochs = self.record.epochs
        missing = np.full(len(epochs["epoch"]), np.nan)
        return detect_overfitting(
            self._training(epochs, "loss", missing),
            epochs.get("val_loss", missing),
            metric=self._training(epochs, self.metric, missing),
            val_metric=(
                epochs.get(f"val_{self.metric}", missing) if self.metric else None
            ),
            mode=self.mode,
            epochs=epochs["epoch"],
        )

    def _training(
        self, epochs: dict[str, np.ndarray], name: str | None, missing: np.ndarray
    ) -> Any:
        """Return a training curve, measured on the sample where it was."""
        if name is None:
            return None
        logged = epochs.get(name, missing)
        if self._sample is None:
            return logged
        return epochs.get(EVALUATED + name, logged)

    def _act(self) -> None:
        if not self._is_said:
            self._is_said = True
            assert self.verdict is not None
            self._add(f"{self.verdict.reason} {self._source()}")
        if self.stop:
            model_of(self).stop_training = True

    def _add(self, text: str) -> None:
        if self.verbose:
            self._messages.add(text)

    def _source(self) -> str:
        if self._sample is None:
            return (
                "(Training loss: Keras' running mean over the epoch; give `x=, y=` to "
                "have it measured in inference mode.)"
            )
        rows = self._sample.n_rows
        on = "the data set given" if rows is None else f"{rows} rows"
        return f"(Training loss: measured in inference mode on {on}.)"


def _check(x: Any, y: Any, rows: int, mode: str) -> None:
    check_rows(rows)
    if x is None and y is not None:
        raise ValueError("`y` was given without `x`. Give both, or neither.")
    if mode not in ("min", "max"):
        raise ValueError(f'`mode` must be "min" or "max". Received: mode={mode!r}')
    if hasattr(x, "__next__"):
        raise ValueError(
            "`x` must be readable again and again, but an iterator is used up after "
            f"one pass. Received: x={x!r}. Give arrays or a data set."
        )
