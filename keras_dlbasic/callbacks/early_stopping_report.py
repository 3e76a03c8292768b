"""Early stopping that says why it stopped."""

from __future__ import annotations

import math
import time
from typing import Any, Literal

import keras
import numpy as np

from keras_dlbasic._arguments import is_number, shown
from keras_dlbasic._backends.guard import Guard
from keras_dlbasic._backends.processes import processes_of
from keras_dlbasic._keras.callbacks import model_of, state_without_model
from keras_dlbasic._wrong_arguments import names_nearest
from keras_dlbasic.analysis.is_gain import is_gain
from keras_dlbasic.analysis.overfitting.prechelt import (
    generalization_loss,
    rising_strips,
    training_progress,
)
from keras_dlbasic.analysis.overfitting.stopping_report import StoppingReport
from keras_dlbasic.callbacks.messages import Messages
from keras_dlbasic.callbacks.step_count import SafeUnlessOverridden, StepCount

Criterion = Literal["patience", "GL", "PQ", "UP"]

ALPHAS = {"GL": 5.0, "PQ": 0.75}
"""Middle ones of the thresholds that Prechelt (1998) tried."""


@names_nearest
class EarlyStoppingReport(keras.callbacks.EarlyStopping):
    """Stop like `EarlyStopping`, and report when, why, and which weights were kept.

    Replaces `keras.callbacks.EarlyStopping`, with the same arguments. The differences:

    - NaN and infinity never become the best value; such epochs count towards patience.
    - With one step per epoch (full batch), a training metric is measured before the
      only update of the epoch. The restored weights are those it was measured with.
    - Besides patience there are three criteria by L. Prechelt, "Early stopping - but
      when?" (1998). `"GL"` stops when the validation loss is more than `alpha` percent
      above its lowest value (the generalization loss). `"PQ"` stops when the
      generalization loss divided by the training progress in the last strip exceeds
      `alpha`. `"UP"` stops when the monitored quantity got worse in `successive_strips`
      strips in a row.
    - `report` has the reason, the epochs and the restored weights.

    Args:
        monitor: As in `EarlyStopping`. Defaults to `"val_loss"`.
        min_delta: As in `EarlyStopping`. Defaults to `0`.
        patience: As in `EarlyStopping`. With another criterion it is a second limit,
            and `0` means none. Defaults to `0`.
        verbose: 0 or 1. Whether to print Keras' messages and the report. Defaults to
            `0`.
        mode: As in `EarlyStopping`. Defaults to `"auto"`.
        baseline: As in `EarlyStopping`. Defaults to None.
        restore_best_weights: As in `EarlyStopping`. Defaults to `False`.
        start_from_epoch: As in `EarlyStopping`; all criteria ignore earlier epochs.
            Defaults to `0`.
        criterion: `"patience"`, `"GL"`, `"PQ"` or `"UP"`. Defaults to `"patience"`.
        alpha: Threshold of GL (in percent; default 5) and PQ (default 0.75).
        strip_length: Epochs in a strip, for PQ and UP. Defaults to `5`.
        successive_strips: Number of strips for UP. Defaults to `3`.

    Attributes:
        report: An `analysis.StoppingReport` of the last fit; None before its end.

    Raises:
        ValueError: If an argument is out of range, or if GL or PQ is used with anything
            but a positive loss that is minimized (for PQ, a validation loss).

    Example:
    >>> import keras, numpy as np
    >>> import keras_dlbasic as kd
    >>> model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    >>> model.compile(optimizer=keras.optimizers.SGD(0.0), loss="mse")
    >>> stopping = kd.callbacks.EarlyStoppingReport("loss", patience=2)
    >>> x = np.ones((8, 1))
    >>> history = model.fit(x, x, epochs=9, verbose=0, callbacks=[stopping])
    >>> stopping.report.stopped, stopping.report.best_epoch
    (True, 0)
    >>> stopping.report.epochs_saved
    6
    """

    async_safe = SafeUnlessOverridden()

    def __init__(
        self,
        monitor: str = "val_loss",
        min_delta: float = 0,
        patience: int = 0,
        verbose: int = 0,
        mode: str = "auto",
        baseline: float | None = None,
        restore_best_weights: bool = False,
        start_from_epoch: int = 0,
        *,
        criterion: Criterion = "patience",
        alpha: float | None = None,
        strip_length: int = 5,
        successive_strips: int = 3,
    ) -> None:
        _check_patience(patience=patience, start_from_epoch=start_from_epoch)
        _check_criterion(criterion, alpha, strip_length, successive_strips)
        if criterion in ("GL", "PQ"):
            _check_loss(criterion, monitor, mode)
        # With another criterion, `patience` is a second limit only if the user gave
        # one. Keras' default of 0 would stop at the first epoch without improvement.
        endless = criterion != "patience" and patience == 0
        super().__init__(
            monitor=monitor,
            min_delta=min_delta,
            patience=math.inf if endless else patience,
            verbose=verbose,
            mode=mode,
            baseline=baseline,
            restore_best_weights=restore_best_weights,
            start_from_epoch=start_from_epoch,
        )
        self.criterion: Criterion = criterion
        self.alpha = ALPHAS.get(criterion) if alpha is None else alpha
        self.strip_length = strip_length
        self.successive_strips = successive_strips
        self.report: StoppingReport | None = None
        self._messages = Messages()
        self.best_weights: Any = None
        self._clear()

    def _clear(self) -> None:
        self._values: list[float] = []
        self._train_values: list[float] = []
        self._cause: tuple[str, float, float] | None = None
        self._last_epoch: int | None = None
        self._last: float | None = None
        self._found_best: int | None = None
        self._non_finite: list[int] = []
        self._missing: list[int] = []
        self._count = StepCount()
        self._begun_with: Any = None
        self._restore_from: Literal["begin", "end"] = "end"
        self._time_of_best = self._time_of_end = time.monotonic()

    # -- hooks ---------------------------------------------------------------------

    def __getstate__(self) -> dict[str, Any]:
        return state_without_model(self)

    def on_train_begin(self, logs: Any = None) -> None:  # noqa: D102
        super().on_train_begin(logs)
        self.best: Any = None  # as Keras does since 3.15
        self.report = None
        self._clear()

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:  # noqa: D102
        self._begun_with = None
        steps = (self.params or {}).get("steps")
        self._count.epoch_begins(self.params)
        if self.restore_best_weights and self._is_measured_before(steps):
            self._begun_with = self.model.get_weights()

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:  # noqa: D102
        super().on_train_batch_end(batch, logs)
        self._count.step_ends(batch)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:  # noqa: D102
        self._last_epoch = epoch
        self._time_of_end = time.monotonic()
        value = (logs or {}).get(self.monitor)
        if value is None or epoch < self.start_from_epoch:
            super().on_epoch_end(epoch, logs)  # warns if the value is missing
            if value is None:
                self._missing.append(epoch)
            return
        value = float(value)
        self._last = value
        # Keras would keep a NaN of the first epoch as the best value, and nothing is
        # better than NaN. Here such an epoch counts as one without improvement.
        if not math.isfinite(value):
            self._non_finite.append(epoch)
            self.wait += 1
            if self.wait >= self.patience and epoch > 0:
                self._stop(epoch)
        else:
            self._judge(epoch, value, logs)
        if self.stopped_epoch and self._cause is None:
            self._cause = ("patience", float(self.wait), float(self.patience))

    def on_train_end(self, logs: Any = None) -> None:  # noqa: D102
        super().on_train_end(logs)
        self._begun_with = None
        with Guard().on_host():
            self.report = self._make_report()
            if self.verbose:
                self._messages.add(str(self.report))
            self._messages.is_silent = processes_of(model_of(self)).is_silent
            self._messages.say()

    # -- judging -------------------------------------------------------------------

    def _judge(self, epoch: int, value: float, logs: Any) -> None:
        best, kept = self.best, self.best_weights
        super().on_epoch_end(epoch, logs)
        if self.best is not best or self._found_best is None:
            self._found_best = epoch
            self._time_of_best = self._time_of_end
        # A training metric of an epoch with one step was measured before the update of
        # that step. The weights that reached it are those that the epoch began with.
        if self.best_weights is not kept:
            self._restore_from = "end"
            if self._begun_with and self._count.n == 1:
                self.best_weights = self._begun_with
                self._restore_from = "begin"
        if self.criterion == "patience":
            return
        # The criteria are defined for losses, so a metric to be maximized changes its
        # sign.
        worse = -value if self._is_maximised() else value
        self._values.append(worse)
        if self.criterion in ("GL", "PQ"):
            self._check_positive(value)
        if self.criterion == "PQ":
            self._train_values.append(self._train_value(logs))
        cause = self._criterion_met()
        if cause is not None and self._cause is None and not self.stopped_epoch:
            self._cause = cause
            self._stop(epoch)

    def _criterion_met(self) -> tuple[str, float, float] | None:
        alpha = 0.0 if self.alpha is None else float(self.alpha)
        at_end_of_strip = len(self._values) % self.strip_length == 0
        if self.criterion == "GL":
            value = generalization_loss(np.array(self._values))
            return ("GL", value, alpha) if value > alpha else None
        if not at_end_of_strip:
            return None
        if self.criterion == "UP":
            strips = rising_strips(
                np.array(self._values), strip_length=self.strip_length
            )
            limit = self.successive_strips
            return ("UP", float(strips), float(limit)) if strips >= limit else None
        # PQ compares what validation has lost since its best epoch with what training
        # still gains. Without any gain, the smallest loss is too much.
        loss = generalization_loss(np.array(self._values))
        progress = training_progress(
            np.array(self._train_values), strip_length=self.strip_length
        )
        value = loss / progress if progress > 0 else math.inf if loss > 0 else 0.0
        return ("PQ", value, alpha) if value > alpha else None

    def _stop(self, epoch: int) -> None:
        self.stopped_epoch = epoch
        self.model.stop_training = True

    def _is_maximised(self) -> bool:
        return bool(self.monitor_op(1.0, 0.0))

    def _is_reached(self, value: float) -> bool:
        # Keras gives `min_delta` the sign of the direction
        return bool(self.monitor_op(value - self.min_delta, self.baseline))

    def _is_measured_before(self, steps: int | None) -> bool:
        """Return whether the quantity belongs to the weights before the epoch."""
        return steps in (None, 1) and not self.monitor.startswith("val_")

    def _train_value(self, logs: Any) -> float:
        name = self.monitor.removeprefix("val_")
        value = logs.get(name)
        if value is None:
            raise ValueError(
                f"`criterion='PQ'` compares '{self.monitor}' with '{name}', which is "
                f"not logged. Available: {', '.join(logs)}."
            )
        self._check_positive(float(value), name)
        return float(value)

    def _check_positive(self, value: float, name: str | None = None) -> None:
        if self._is_maximised() or value <= 0:
            raise ValueError(
                f"`criterion={self.criterion!r}` needs a positive loss to be "
                f"minimized: it divides by its lowest value. Received "
                f"{name or self.monitor!r} = {value:g}, mode={self.mode!r}. Use "
                "`criterion='UP'` or `criterion='patience'`."
            )

    # -- telling -------------------------------------------------------------------

    def _make_report(self) -> StoppingReport:
        found = self._found_best is not None
        best_epoch = self.best_epoch if found else None
        last_epoch = self._last_epoch
        kind, value, threshold = self._cause or (self._other_ending(), None, None)
        epochs = (self.params or {}).get("epochs")
        restored = bool(self.restore_best_weights and self.best_weights is not None)
        reached = None
        if self.baseline is not None:
            reached = found and self._is_reached(float(self.best))
        return StoppingReport(
            stopped=self._cause is not None,
            criterion=kind,  # type: ignore[arg-type]
            monitor=self.monitor,
            value=value,
            threshold=threshold,
            last_epoch=last_epoch,
            best_epoch=best_epoch,
            best=float(self.best) if found else None,
            last=self._last,
            restored=restored,
            restored_from=self._restore_from if restored else None,
            epochs_waited=(
                last_epoch - best_epoch
                if last_epoch is not None and best_epoch is not None
                else 0
            ),
            seconds_waited=self._time_of_end - self._time_of_best if found else 0.0,
            epochs_saved=(
                max(0, epochs - last_epoch - 1)
                if epochs is not None and last_epoch is not None
                else 0
            ),
            non_finite_epochs=tuple(self._non_finite),
            missing_epochs=tuple(self._missing),
            baseline=self.baseline,
            baseline_reached=reached,
            note=self._note(),
        )

    def _other_ending(self) -> str:
        stopped = bool(getattr(model_of(self), "stop_training", False))
        return "other" if stopped else "epochs"

    def _note(self) -> str:
        if self.mode == "max" and self.monitor.endswith("loss"):
            return (
                f"Note that `mode='max'` treats a higher '{self.monitor}' as better, "
                "but a loss is usually minimized."
            )
        if self._last_epoch is not None and self._last_epoch < self.start_from_epoch:
            return (
                f"`start_from_epoch={self.start_from_epoch}` was not reached: nothing "
                "was monitored."
            )
        return ""


def _check_patience(**given: Any) -> None:
    """Refuse what Keras would fail on in the middle of the training only."""
    for name, value in given.items():
        if not is_number(value):
            raise ValueError(
                f"`{name}` must be a number of epochs. Received: {name}={shown(value)}"
            )


def _check_criterion(
    criterion: str, alpha: float | None, strip_length: int, successive_strips: int
) -> None:
    if criterion not in ("patience", "GL", "PQ", "UP"):
        raise ValueError(
            '`criterion` must be "patience", "GL", "PQ" or "UP". '
            f"Received: criterion={criterion!r}"
        )
    if alpha is not None and not alpha > 0:
        raise ValueError(f"`alpha` must be positive. Received: alpha={alpha!r}")
    for name, value, least in (
        ("strip_length", strip_length, 2 if criterion == "PQ" else 1),
        ("successive_strips", successive_strips, 1),
    ):
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            raise ValueError(
                f"`{name}` must be an integer of at least {least}. "
                f"Received: {name}={value!r}"
            )


def _check_loss(criterion: str, monitor: str, mode: str) -> None:
    name = monitor.removeprefix("val_")
    if mode == "max" or is_gain(name) or not (name.endswith("loss") or mode == "min"):
        raise ValueError(
            f"`criterion={criterion!r}` needs a positive loss to be minimized. "
            f"Received: monitor={monitor!r}, mode={mode!r}. Monitor a loss, give "
            "`mode='min'` if this is an error measure, or use `criterion='UP'`."
        )
    if criterion == "PQ" and name == monitor:
        raise ValueError(
            "`criterion='PQ'` compares a validation loss with its training loss. "
            f"Received: monitor={monitor!r}. Monitor 'val_{monitor}' instead."
        )
