"""Gradient norms of every layer, during `fit`."""

from __future__ import annotations

from typing import Any

import numpy as np

from keras_dlbasic._keras.callbacks import model_of
from keras_dlbasic.analysis import GradientEvent, gradient_events
from keras_dlbasic.callbacks.fit_watch import FitWatch
from keras_dlbasic.callbacks.monitor import Monitor
from keras_dlbasic.callbacks.non_finite import NonFiniteReport, first_non_finite
from keras_dlbasic.gradients.sampling import Every, check_every
from keras_dlbasic.records import MEASURES, TrainingRecord

LOG_KEY = "global_gradient_norm"


class GradientNormMonitor(Monitor):
    """Record the gradient norm of each layer during training.

    The gradients are those of Keras' own compiled step, before clipping and after loss
    unscaling. There is no second backward pass and no other batch; training and saved
    models are not changed. One key is added to the logs of every epoch:
    `global_gradient_norm`, the mean over the sampled steps of the epoch (NaN if none
    was sampled). Callbacks later in the list can use it, such as `CSVLogger`,
    `ReduceLROnPlateau` and `EarlyStopping`.

    Args:
        every: Which steps to measure. `"auto"` (default): densely in the first 256
            steps, then one step in 32 or fewer, at least one per epoch; about one step
            in 32 of all in a fit of 1,000 steps or more. `"epoch"`: one step per epoch.
            An integer `n`: every n-th step.
        record: A `TrainingRecord` to write to, shared between callbacks or continued
            from an earlier fit. Defaults to None: a new one for each fit.
        append: Whether a further `fit` of the same model continues the record of the
            last one. Defaults to `False`.
        verbose: Whether to report when a gradient vanishes, explodes, turns non-finite
            or is zero everywhere (see `analysis.gradient_events`). 0 or 1.
            Defaults to `0`.
        stop_on_non_finite: Whether to stop training at the first step whose gradients
            are not finite. Then every step is measured, as with `every=1`, and the host
            waits for its result. Steps that loss scaling skips do not count. Defaults
            to `False`.

    Attributes:
        record: The `TrainingRecord` of the current or last fit. Raises a `ValueError`
            before the first fit.
        non_finite: A `NonFiniteReport` on the first sampled step of the last fit whose
            gradients were not finite; None if all were finite.

    Raises:
        ValueError: If `every` or `verbose` is not one of the above.

    Example:
    >>> import keras, numpy as np
    >>> import keras_dlbasic as kd
    >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
    >>> model.compile(optimizer="sgd", loss="mse")
    >>> monitor = kd.callbacks.GradientNormMonitor()
    >>> x, y = np.ones((64, 4)), np.ones((64, 1))
    >>> history = model.fit(x, y, epochs=2, verbose=0, callbacks=[monitor])
    >>> monitor.record.gradient_norm.shape  # sampled steps, variables
    (3, 2)
    >>> len(history.history["global_gradient_norm"])
    2
    """

    _reads_weights = False

    def __init__(
        self,
        every: Every = "auto",
        *,
        record: TrainingRecord | None = None,
        append: bool = False,
        verbose: int = 0,
        stop_on_non_finite: bool = False,
    ) -> None:
        super().__init__(record, verbose)
        self.every = check_every(every)
        self.append = append
        self.stop_on_non_finite = stop_on_non_finite
        self.non_finite: NonFiniteReport | None = None
        self._said: set[str] = set()

    def _join(self) -> FitWatch:
        record = self._given_record
        earlier = self._watch
        # Only a fit of the same model goes on in the same record: another model has
        # other variables.
        if record is None and self.append and earlier is not None:
            record = earlier.record if earlier.is_about(model_of(self)) else None
        # To stop at the first step that is not finite, each step has to be measured.
        if self.stop_on_non_finite:
            return FitWatch.join(self, 1, record, self._check_finite)
        return FitWatch.join(self, self.every, record)

    def _fit_begins(self) -> None:
        self._said = set()
        self.non_finite = None

    def _epoch_ends(self, epoch: int, logs: dict[str, Any]) -> None:
        logs[LOG_KEY] = self._watch.last_epoch
        self._watch.log(epoch, {LOG_KEY: logs[LOG_KEY]})
        self._look_for_non_finite()
        if self.verbose:
            self._report()

    def _fit_ends(self) -> None:
        self._look_for_non_finite()
        report = self.non_finite
        if report is not None and (self.verbose or report.stopped):
            self._messages.add(str(report))

    def _look_for_non_finite(self) -> None:
        if self.non_finite is None:
            since = self._watch.first_step
            self.non_finite = first_non_finite(self.record, since=since)

    def _check_finite(self, step: int, measures: np.ndarray) -> None:
        record = self._watch.record
        # Nearly always the step is fine. Then the record need not be looked through.
        if self.non_finite is None and not _is_sound(measures):
            self.non_finite = first_non_finite(
                record, since=self._watch.first_step, stopped=True
            )
            if self.non_finite is not None:
                model_of(self).stop_training = True

    def _report(self) -> None:
        events = gradient_events(self._watch.record)
        new = [event for event in events if event.kind not in self._said]
        for kind in dict.fromkeys(event.kind for event in new):
            self._said.add(kind)
            self._messages.add(describe([e for e in new if e.kind == kind]))


def _is_sound(measures: np.ndarray) -> bool:
    counts, weights = (
        measures[MEASURES.index(n)] for n in ("non_finite", "weight_norm")
    )
    return bool(counts.sum() == 0 and np.isfinite(weights).all())


NEXT_STEPS = {
    "vanishing": "Next: print(kd.propagation_report(model, x)) on a fresh model.",
    "exploding": "Next: a lower learning rate, clipping, or "
    "print(kd.propagation_report(model, x)) on a fresh model.",
    "zero": "Next: print(kd.propagation_report(model, x)), which distinguishes dead "
    "units from a loss that does not depend on the weights.",
    "non_finite": "Next: print(kd.gradients.localize_non_finite(model, x)).",
}


def describe(events: list[GradientEvent]) -> str:
    """Say events of one kind in a line, the most severe first, and what to do next."""
    kind = events[0].kind
    worst = (min if kind == "vanishing" else max)(events, key=lambda e: e.value)
    others = [event.layer for event in events if event is not worst]
    also = ""
    if others:
        named = ", ".join(f"'{layer}'" for layer in others[:3])
        more = f" and {len(others) - 3} more" if len(others) > 3 else ""
        also = f" Also: {named}{more}."
    return f"{worst}{also} {NEXT_STEPS[kind]}"
