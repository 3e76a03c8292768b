"""Overfitting, told while a model is fitted."""

from __future__ import annotations

import re
from typing import Any, Literal

import numpy as np

from keras_dlbasic._arguments import shown
from keras_dlbasic._keras.callbacks import model_of
from keras_dlbasic._keras.compiled_metrics import logged_names
from keras_dlbasic._keras.optimizer import current_learning_rate
from keras_dlbasic._nearest import nearest, nearest_name
from keras_dlbasic.analysis import OverfittingVerdict, detect_overfitting
from keras_dlbasic.analysis.overfitting.epoch_rates import epoch_rates
from keras_dlbasic.analysis.overfitting.verdict import SEVERITIES, Severity
from keras_dlbasic.callbacks.arguments import check_rows
from keras_dlbasic.callbacks.guarded import guard_of
from keras_dlbasic.callbacks.monitor import Monitor
from keras_dlbasic.callbacks.training_sample import TrainingSample
from keras_dlbasic.inspection.run_facts import run_facts
from keras_dlbasic.records import TrainingRecord

EVALUATED = "evaluated_"
"""Prefix in the record of what was measured on the sample in inference mode."""

MAX_REVERSAL = 0.05
"""Training is stopped only if the chance that the rise goes back is below this."""

MISSPELLED = 0.9
"""Names that share this much are one name misspelled, see `difflib`: one letter of nine
may differ."""


class OverfittingDetector(Monitor):
    """Report when a model begins to overfit, from the loss curves so far.

    After every epoch with validation, `analysis.detect_overfitting` compares the
    training loss and the validation loss. Keras' training loss is a mean over the
    epoch, computed with dropout on and while the weights were changing. If `x` and `y`
    are given, the training loss is evaluated on them after the epoch and in inference
    mode, like the validation loss. Training, saving and logs are not changed.

    An early rise of the validation loss may also be noise, or the peak of a double
    descent. The message gives the probability that the verdict is withdrawn by the end
    of the run (`OverfittingVerdict.chance_of_reversal`). `stop=True` waits until it is
    below 5 %.

    Args:
        x: Training inputs to measure the training loss on: arrays, or a data set that
            can be read again and again. Defaults to None: the logged loss is taken.
        y: Training targets, None with a data set.
        rows: Maximum number of rows of `x` and `y` that are used, evenly spaced.
            Defaults to `1024`.
        metric: Name of a metric, such as `"accuracy"`, that is judged separately.
            Defaults to None. If it is not logged, there is a warning after the first
            epoch with validation. If it is a misspelled compiled metric, an error is
            raised at the start of `fit`.
        mode: `"max"` if that metric is to be maximized (default), `"min"` if minimized.
        stop: Whether to stop training when overfitting is found and the probability
            that the verdict is withdrawn by the last planned epoch is below 5 %.
            Defaults to `False`.
        verbose: 0 or 1. Whether to print the findings between epochs. Defaults to `1`.
        record: A `TrainingRecord` to write the epochs to. If it has epochs of an
            earlier fit, they are judged together. Defaults to None: a new one for each
            fit.
        min_severity: Lowest severity that counts: `"info"` (any rise that is not
            noise; default), `"warning"` (from 5 %) or `"critical"` (from 25 %).

    Attributes:
        verdict: The `analysis.OverfittingVerdict` on the epochs so far; None before the
            first.
        record: The `TrainingRecord` of the current or last fit. Raises a `ValueError`
            before the first fit. The measurements on `x` and `y` are in its
            `"evaluated_loss"`, ...
        loss_source: `"evaluated"` or `"logged"`.
        stopped_epoch: The epoch (0-based) after which it stopped the last fit, or None.

    Raises:
        ValueError: If an argument is out of range, if `x` and `y` do not fit together,
            or, at the start of `fit`, if they do not fit the model or `metric` is a
            misspelled compiled metric.

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

    _reads_weights = False

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
        min_severity: Severity = "info",
    ) -> None:
        super().__init__(record, verbose)
        _check(x, y, rows, mode)
        if metric is not None and not isinstance(metric, str):
            raise ValueError(
                "`metric` must be a name, as it is logged, such as "
                f'"accuracy". Received: metric={shown(metric)}'
            )
        if min_severity not in SEVERITIES:
            raise ValueError(
                '`min_severity` must be "info", "warning" or "critical". '
                f"Received: min_severity={min_severity!r}"
            )
        self.min_severity: Severity = min_severity
        self.stopped_epoch: int | None = None
        self.metric = metric
        self.mode = mode
        self.stop = stop
        self.verdict: OverfittingVerdict | None = None
        self.loss_source = "logged" if x is None else "evaluated"
        self._sample = None if x is None else TrainingSample(x, y, rows)
        self._is_said = False

    def _fit_begins(self) -> None:
        known = self.record.facts
        self.record.facts = run_facts(model_of(self), self.params or {}, known)
        self.verdict = None
        self.stopped_epoch = None
        self._is_said = False
        self._is_missing = False
        self._rates: dict[int, float] = {}
        if self._sample is not None:
            self._sample.fit_to(model_of(self))
        names = logged_names(model_of(self))
        if self.metric is not None and names is not None:
            self._check_known(names)

    def _check_known(self, names: list[str]) -> None:
        """Refuse a name that is surely misspelled.

        A callback that comes before may write any other name into the logs. The first
        epoch with validation shows whether one does.
        """
        assert self.metric is not None
        name = self.metric.removeprefix("val_")
        if self.metric in names:
            return
        if name in names:
            way = f"Give {name!r} alone."
        elif any(_is_slip(self.metric, known) for known in names):
            way = nearest(self.metric, names)
        else:
            return
        raise ValueError(
            "`metric` must be the name of a metric that the model was compiled with. "
            f"Received: metric={self.metric!r}. {way}"
        )

    def _say_if_missing(self, logs: dict[str, Any]) -> None:
        """Warn of a metric whose name could not be checked as the fit began."""
        if self.metric is None or f"val_{self.metric}" in logs or self._is_missing:
            return
        self._is_missing = True
        names = {n.removeprefix("val_") for n in logs if n.startswith("val_")}
        guard_of(self).say(
            f"`metric={self.metric!r}` is not logged in validation, so it is not "
            f"judged. {nearest(self.metric, names)}"
        )

    def _epoch_ends(self, epoch: int, logs: dict[str, Any]) -> None:
        has_validation = "val_loss" in logs
        number = self._watch.in_record(epoch)
        optimizer = getattr(self.model, "optimizer", None)
        self._rates[number] = current_learning_rate(optimizer)
        if self._sample is not None and has_validation:
            measured = self._sample.evaluate(self.model)
            self._watch.log(
                epoch, {EVALUATED + name: value for name, value in measured.items()}
            )
        if has_validation:
            self._say_if_missing(logs)
        if has_validation or self.verdict is None:
            self.verdict = self._judge()
        if has_validation and self.verdict.detected:
            self._act(epoch)

    def _fit_ends(self) -> None:
        if self.verdict is not None:
            # The epochs after a message may contradict it. The whole curve confirms or
            # withdraws it.
            if self._is_said and not self.verdict.detected:
                self._add(f"Withdrawn at the end: {self.verdict.reason}")
            elif self._is_said:
                self._add(f"At the end: {self.verdict.reason}{self._ending()}")
            elif self.verdict.pattern == "no_validation":
                self._add(self.verdict.reason)

    def _judge(self) -> OverfittingVerdict:
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
            learning_rate=self._learning_rates(epochs["epoch"]),
            min_severity=self.min_severity,
        )

    def _learning_rates(self, numbers: np.ndarray) -> np.ndarray:
        """Return the rate of each epoch: the logged one, else as it was at the end."""
        seen = np.array([self._rates.get(int(n), np.nan) for n in numbers], np.float64)
        known = epoch_rates(self.record)
        return seen if known is None else np.where(np.isfinite(known), known, seen)

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

    @property
    def _stops_by_own_data(self) -> bool:
        return self.stop and self._sample is not None

    def _act(self, epoch: int) -> None:
        assert self.verdict is not None
        epochs = int((self.params or {}).get("epochs") or 0)
        left = max(epochs - epoch - 1, 0)
        # Where the number of epochs is not known, at least one more is taken to follow.
        chance = self.verdict.chance_of_reversal(left if epochs else 1)
        if not self._is_said:
            self._is_said = True
            parts = [self.verdict.reason, self._source(), self._doubt(chance, left)]
            self._add(" ".join(part for part in parts if part))
        is_last = epochs == epoch + 1  # nothing is left to stop
        if self.stop and not is_last and chance < MAX_REVERSAL:
            self.stopped_epoch = epoch
            model_of(self).stop_training = True

    def _doubt(self, chance: float, left: int) -> str:
        if chance < MAX_REVERSAL or not left:
            return ""
        goes_on = f" Training goes on until this is below {MAX_REVERSAL:.0%}."
        return (
            "It may still be the peak of a double descent: the chance that the loss "
            f"comes back in the {left} epochs left is about {chance:.0%}."
        ) + goes_on * self.stop

    def _ending(self) -> str:
        if self.stopped_epoch is None:
            return ""
        return f" Stopped after epoch {self.stopped_epoch + 1}."

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


def _is_slip(name: str, known: str) -> bool:
    """Return whether a name is surely another one misspelled: `mea`, `acuracy`.

    Being like it is not enough: callbacks log `rmse` beside `mse`, `f2` beside `f1`.
    """
    if sorted(name) == sorted(known):  # letters in another order
        return True
    has_same_digits = re.sub(r"\D", "", name) == re.sub(r"\D", "", known)
    is_close = nearest_name(name, [known], cutoff=MISSPELLED) is not None
    return has_same_digits and is_close


def _check(x: Any, y: Any, rows: int, mode: str) -> None:
    check_rows(rows)
    if x is None and y is not None:
        raise ValueError("`y` was given without `x`. Give both, or neither.")
    if mode not in ("min", "max"):
        raise ValueError(f'`mode` must be "min" or "max". Received: mode={mode!r}')
