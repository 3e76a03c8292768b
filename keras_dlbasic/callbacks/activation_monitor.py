"""The activations of every layer, during `fit`."""

from __future__ import annotations

import math
from typing import Any

import keras

from keras_dlbasic.analysis.activation_statistics import (
    DORMANT,
    MEASURES,
    activation_statistics,
)
from keras_dlbasic.callbacks.messages import Messages
from keras_dlbasic.callbacks.run_facts import run_facts
from keras_dlbasic.records import LayerTable, TrainingRecord
from keras_dlbasic.signals.probe import as_array, channel_axis, check_batch, run_probe

MOST_ROWS = 256


class ActivationMonitor(keras.callbacks.Callback):
    """Watch how alive the units of every layer are, on a fixed probe batch.

    The model runs on the probe, outside the compiled step, at the end of each epoch (or
    every n steps): with dropout off, and with batch normalisation on the probe's own
    statistics. Weights, moving averages, random seeds, metrics and logs stay as they
    are. What is measured goes to `record.tables["activations"]`; its columns are layers
    of any type, with activations inline or as a layer. Recurrent and attention layers
    count as one.

    Args:
        x: The probe: inputs as for `model.predict`, of which the first 256 rows are
            used. Units that are dead on few rows may live on others, so give at least
            some dozens.
        every: `"epoch"` (default), or an integer `n`: at every n-th step as well as at
            the end of each epoch.
        record: A `TrainingRecord` to write to, shared with other callbacks. Defaults to
            None: a new one for each fit.
        dormant: Score up to which a unit is dormant. Defaults to `0.025`.
        verbose: Whether to say when more than half of a layer's units are dead or
            saturated. 0 or 1. Defaults to `0`.

    Attributes:
        record: The record of the current or last fit, None before the first. See
            `analysis.activation_statistics` for what is in the table.

    Raises:
        ValueError: If `x` is empty or not finite, or an argument is none of the above.

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

    def __init__(
        self,
        x: Any,
        every: int | str = "epoch",
        *,
        record: TrainingRecord | None = None,
        dormant: float = DORMANT,
        verbose: int = 0,
    ) -> None:
        super().__init__()
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
        if verbose not in (0, 1):
            raise ValueError(f"`verbose` must be 0 or 1. Received: verbose={verbose!r}")
        self.x = keras.tree.map_structure(lambda a: a[:MOST_ROWS], check_batch(x))
        self.every = every
        self.dormant = dormant
        self.verbose = verbose
        self.record = record
        self._given_record = record
        self._messages = Messages()

    def on_train_begin(self, logs: Any = None) -> None:  # noqa: D102
        self.record = self._given_record or TrainingRecord()
        if not self.record.facts:
            self.record.facts.update(run_facts(self._model, self.params))
        self._steps = 0
        self._measured = 0
        self._epoch = 0
        self._said: set[tuple[str, str]] = set()
        table = self.record.tables.get("activations")
        self._offset = int(table.steps[-1]) if table is not None and len(table) else 0

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:  # noqa: D102
        self._messages.say()
        self._epoch = epoch
        self._epoch_first_step = self._steps

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:  # noqa: D102
        done = self._epoch_first_step + batch
        every = self.every
        if isinstance(every, int) and done // every > self._measured // every:
            self._measure(done)
        self._steps = done + self._model.steps_per_execution
        total = self.params.get("steps")
        if total:
            self._steps = min(self._steps, self._epoch_first_step + total)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:  # noqa: D102
        assert self.record is not None
        self.record.append_epoch(epoch, logs or {})
        self._measure(self._steps)

    def on_train_end(self, logs: Any = None) -> None:  # noqa: D102
        self._messages.say()

    def _measure(self, step: int) -> None:
        assert self.record is not None
        self._measured = step
        ran = run_probe(self.model, self.x)  # not `_model`: JAX must sync the weights
        columns = [
            activation_statistics(
                as_array(probe.outputs),
                as_array(probe.preactivations),
                probe.activation,
                axis=channel_axis(probe.layer),
                dormant=self.dormant,
            )
            for probe in ran
        ]
        labels = tuple(probe.label for probe in ran)
        table = self.record.tables.get("activations")
        if table is None or table.labels != labels:
            table = self.record.tables["activations"] = LayerTable(labels, MEASURES)
        if len(table) and table.steps[-1] >= self._offset + step:
            return  # an epoch that ends at a step measured already
        values = {name: [column[name] for column in columns] for name in MEASURES}
        table.append(self._offset + step, self._epoch, values)
        if self.verbose:
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
