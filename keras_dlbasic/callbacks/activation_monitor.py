"""The activations of every layer, during `fit`."""

from __future__ import annotations

import math
from typing import Any

import keras

from keras_dlbasic._data.batch import read_batch
from keras_dlbasic._data.kinds import is_table
from keras_dlbasic._keras.callbacks import model_of
from keras_dlbasic.analysis.activations.statistics import DORMANT, MEASURES
from keras_dlbasic.callbacks.fit_log import FitLog
from keras_dlbasic.callbacks.fit_watch import FIRST_STEP, FitWatch
from keras_dlbasic.callbacks.guarded import guard_of
from keras_dlbasic.callbacks.monitor import Monitor
from keras_dlbasic.propagation.layer_activations import layer_activations
from keras_dlbasic.records import LayerTable, TrainingRecord

MOST_ROWS = 256


class ActivationMonitor(Monitor):
    """Count dead, saturated and dormant units of each layer, on a fixed probe batch.

    The model runs on the probe at the end of each epoch (or every n steps), outside the
    compiled step. Dropout is off, and batch normalization uses the statistics of the
    probe. Weights, moving averages, random seeds, metrics and logs are not changed. The
    measurements are in `record.tables["activations"]`, with one column per layer of any
    type, whether its activation is an argument or a layer. Recurrent and attention
    layers count as one.

    Args:
        x: The probe: inputs as for `model.predict`, of which the first 256 rows are
            used. Units that are dead on a few rows may be active on others, so pass at
            least some dozens of rows. Defaults to None: up to 256 rows of the first
            training batch are used, as they come after augmentation. This does not work
            with sparse inputs, `MirroredStrategy`, or `jit_compile=True` on PyTorch:
            then there is a warning.
        every: `"epoch"` (default), or an integer `n`: at every n-th step as well as at
            the end of each epoch.
        record: A `TrainingRecord` to write to, shared with other callbacks. Defaults to
            None: a new one for each fit.
        dormant: Score up to which a unit is dormant. Defaults to `0.025`.
        verbose: 0 or 1. Whether to print a message when more than half of a layer's
            units are dead or saturated. Defaults to `0`.

    Attributes:
        record: The record of the current or last fit. Raises a `ValueError` before the
            first fit. See `analysis.activation_statistics` for what is in the table.

    Raises:
        ValueError: If `x` is empty or not finite, does not fit the model as `fit`
            begins, or an argument is none of the above.

    Example:
    >>> import keras, numpy as np
    >>> import keras_dlbasic as kd
    >>> model = keras.Sequential(
    ...     [keras.Input((4,)), keras.layers.Dense(3, "relu"), keras.layers.Dense(1)]
    ... )
    >>> model.compile(optimizer="sgd", loss="mse")
    >>> x, y = np.ones((64, 4)), np.ones((64, 1))
    >>> monitor = kd.callbacks.ActivationMonitor(x)
    >>> history = model.fit(x, y, epochs=2, verbose=0, callbacks=[monitor])
    >>> monitor.record.tables["activations"]["dead_units"].shape  # rows, layers
    (2, 2)
    """

    _table_name = "activations"
    _measures = MEASURES

    def __init__(
        self,
        x: Any = None,
        every: int | str = "epoch",
        *,
        record: TrainingRecord | None = None,
        dormant: float = DORMANT,
        verbose: int = 0,
    ) -> None:
        super().__init__(record, verbose)
        whole = isinstance(every, int) and not isinstance(every, bool) and every > 0
        if every != "epoch" and not whole:
            raise ValueError(
                '`every` must be "epoch" or a positive integer, a number of steps. '
                f"Received: every={every!r}"
            )
        if not 0 <= dormant < math.inf:
            raise ValueError(
                f"`dormant` must not be negative. Received: dormant={dormant!r}"
            )
        # Which columns of a table are inputs, only the model tells.
        self._given = x
        is_read = x is not None and not is_table(x)
        self.x = _first_rows(x) if is_read else None
        self.every = every
        self.dormant = dormant
        self._keeps_batch = x is None

    def _join(self) -> FitLog:
        if not self._keeps_batch:
            return super()._join()
        self.x = None
        return FitWatch.join(
            self, FIRST_STEP, self._given_record, batch_listener=self._keep
        )

    def _fit_begins(self) -> None:
        self._has_warned = False
        self._measured = 0
        self._said: set[tuple[str, str]] = set()
        if not self._keeps_batch:
            given = self._given if self.x is None else self.x
            self.x = _first_rows(given, model_of(self))

    def _step_begins(self, batch: int) -> None:
        done = self._count.first + batch
        every = self.every
        if isinstance(every, int) and done // every > self._measured // every:
            self._measure(done)

    def _epoch_ends(self, epoch: int, logs: dict[str, Any]) -> None:
        self._measure(self._count.so_far)

    def _keep(self, inputs: Any, targets: Any, weights: Any) -> bool:
        """Keep the first batch as the probe; no other is asked for."""
        if not keras.tree.flatten(inputs):
            self._warn("the first batch is sparse, ragged or without rows.")
            return True
        try:
            self.x = _first_rows(inputs)
        except ValueError as error:
            self._warn(f"the first batch cannot serve as a probe: {error}")
        return True

    def _warn(self, reason: str) -> None:
        if not self._has_warned:
            self._has_warned = True
            guard_of(self).say(
                f"Activations are not watched: {reason} Give a probe: "
                "`ActivationMonitor(x)`."
            )

    def _measure(self, step: int) -> None:
        self._measured = step
        if self.x is None:
            self._warn("no batch was seen.")
            return
        # not `model_of`: JAX must sync the weights
        seen = layer_activations(self.model, self.x, dormant=self.dormant)
        table = self._write(step, seen.layers)
        if self.verbose and table is not None:
            self._report(table)

    def _report(self, table: LayerTable) -> None:
        for measure, word in (("dead_units", "dead"), ("saturated_units", "saturated")):
            for layer, share in zip(table.labels, table[measure][-1], strict=True):
                if share > 0.5 and (layer, measure) not in self._said:
                    self._said.add((layer, measure))
                    self._messages.add(
                        f"Layer '{layer}', epoch {self._epoch + 1}: {share:.0%} of its "
                        f"units are {word} on the probe batch."
                    )


def _first_rows(x: Any, model: Any = None) -> Any:
    return keras.tree.map_structure(
        lambda a: None if a is None else a[:MOST_ROWS], read_batch(x, model)
    )
