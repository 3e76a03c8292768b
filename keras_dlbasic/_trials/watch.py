"""What is measured while a trial of a batch size trains."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from typing import Any

import keras
import numpy as np

from keras_dlbasic._keras.callbacks import model_of

Weights = list[np.ndarray]


class TrialWatch(keras.callbacks.Callback):
    """Stops a fit after a number of updates or seconds, and pauses it to measure.

    The clock stops in pauses. It starts and stops with the device idle.

    Args:
        pauses: Whether to pause before an update, by its number.
        measure: `measure(model, updates, seconds)`, called in pauses. It returns
            whether to go on.
        updates: After how many updates to stop. Defaults to None.
        seconds: After how many seconds to stop. Defaults to None.
        micro_steps: Steps of the fit that make one update. Defaults to 1.

    Attributes:
        updates: Number of updates made.
        seconds: Seconds of training.
        spans: Pairs of seconds and updates, from a step of an epoch or the end of a
            pause to the next pause or the epoch's end. The first update of an epoch,
            which waits for the input pipeline to start, is left out where others
            follow it.
    """

    def __init__(
        self,
        pauses: Callable[[int], bool],
        measure: Callable[[Any, int, float], bool],
        *,
        updates: int | None = None,
        seconds: float | None = None,
        micro_steps: int = 1,
    ) -> None:
        super().__init__()
        self._pauses, self._measure = pauses, measure
        self._most_updates, self._most_seconds = updates, seconds
        self._micro_steps, self._micro_step = micro_steps, 0
        self.updates, self.seconds = 0, 0.0
        self.spans: list[tuple[float, int]] = []

    def on_train_begin(self, logs: Any = None) -> None:
        self._since = time.perf_counter()

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._span: tuple[float, int] | None = None
        self._opening = self.updates

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        # Times are taken from the second update of an epoch on, so what an epoch costs
        # at its start does not count as time of updates.
        second = self._micro_step == 0 and self.updates == self._opening + 1
        if self._micro_step == 0 and self._pauses(self.updates):
            model = self.model
            _wait(model)
            now = time.perf_counter()
            if not second:
                self._close(now)
            self.seconds += now - self._since
            if not self._measure(model, self.updates, self.seconds):
                model_of(self).stop_training = True
            self._since = time.perf_counter()
        elif second:
            _wait(self.model)
        if second:
            self._span = None
        now = time.perf_counter()
        if self._span is None:
            self._span = now, self.updates
        self._micro_step = (self._micro_step + 1) % self._micro_steps
        if self._micro_step:
            return
        self.updates += 1
        over = self._most_updates is not None and self.updates >= self._most_updates
        if self._most_seconds is not None:
            over = over or self.seconds + now - self._since >= self._most_seconds
        if over:
            model_of(self).stop_training = True

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        _wait(self.model)
        self._close(time.perf_counter())

    def on_train_end(self, logs: Any = None) -> None:
        self.seconds += time.perf_counter() - self._since

    def _close(self, now: float) -> None:
        if self._span is not None and self.updates > self._span[1]:
            self.spans.append((now - self._span[0], self.updates - self._span[1]))
        self._span = None


def pause_steps(updates: int | None, points: int = 8) -> Collection[int]:
    """Return before which updates to pause: densely at first, then evenly."""
    if updates is None:
        return {0, *np.unique(np.round(1.5 ** np.arange(60)).astype(np.int64)).tolist()}
    steps = [
        *np.geomspace(1, max(updates, 1), points),
        *np.linspace(0, updates, points + 1),
    ]
    return {round(float(step)) for step in steps} - {updates}


def _wait(model: Any) -> None:
    """Wait until the device has done what it was given."""
    if model.trainable_variables:
        keras.ops.convert_to_numpy(model.trainable_variables[-1].value)
