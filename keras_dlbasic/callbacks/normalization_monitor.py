"""How far batch normalisation's moving averages are from the batches."""

from __future__ import annotations

import math
import warnings
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_dlbasic._keras.layer_kinds import kind_of
from keras_dlbasic.analysis.activations.normalization_drift import (
    MEASURES,
    normalization_drift,
)
from keras_dlbasic.callbacks.copies import state_without_model
from keras_dlbasic.callbacks.fit_watch import FitWatch, has_train_function
from keras_dlbasic.callbacks.guarded import guard_of, guarded
from keras_dlbasic.callbacks.step_count import SafeUnlessOverridden, StepCount
from keras_dlbasic.callbacks.table_writer import TableWriter
from keras_dlbasic.propagation.probe import probe_layers
from keras_dlbasic.records import TrainingRecord

Statistics = dict[str, tuple[np.ndarray, np.ndarray]]


class NormalizationMonitor(keras.callbacks.Callback):
    """Watch the drift between batch and moving statistics of batch normalisation.

    Once an epoch, around one of its last steps, the moving averages are read before and
    after the step; from their change follow the batch's own mean and variance, with no
    further pass and no other data. `record.tables["normalization"]` gets, per layer
    (Keras' own as well as this package's), how far they are from the moving averages
    that inference uses. While that is large, `val_loss` says little about the weights:
    lower `momentum`, or train longer.

    It also sees the batch, and warns when there is only one value per channel to
    normalise: then the output is `beta`, whatever the input.

    Args:
        record: A `TrainingRecord` to write to, shared with other callbacks. Defaults to
            None: that of the fit's other monitors, or a new one.

    Attributes:
        record: The record of the current or last fit, None before the first.

    Example:
    >>> import keras, numpy as np
    >>> import keras_dlbasic as kd
    >>> norm = kd.layers.BatchNormalization()
    >>> model = keras.Sequential([keras.Input((4,)), norm, keras.layers.Dense(1)])
    >>> model.compile(optimizer="sgd", loss="mse")
    >>> monitor = kd.callbacks.NormalizationMonitor()
    >>> x, y = np.random.default_rng(0).normal(3, 1, (64, 4)), np.ones((64, 1))
    >>> history = model.fit(x, y, epochs=2, verbose=0, callbacks=[monitor])
    >>> monitor.record.tables["normalization"]["mean_drift"].shape  # rows, layers
    (2, 1)
    """

    async_safe = SafeUnlessOverridden()

    def __init__(self, *, record: TrainingRecord | None = None) -> None:
        super().__init__()
        self._given_record = record
        self._watch: Any = None

    @property
    def record(self) -> TrainingRecord | None:  # noqa: D102 - see the class
        return self._given_record if self._watch is None else self._watch.record

    def set_model(self, model: Any) -> None:  # noqa: D102
        super().set_model(model)
        self._is_refit = has_train_function(model)

    def __getstate__(self) -> dict[str, Any]:
        return state_without_model(self)

    @guarded
    def on_train_begin(self, logs: Any = None) -> None:  # noqa: D102
        self._watch = FitWatch.join(self, "epoch", self._given_record)
        self._table: TableWriter | None = None
        self._layers = {
            probe.label: probe.layer
            for probe in probe_layers(self._model)
            if _is_watchable(probe.layer)
        }
        self._count = StepCount()
        self._steps_per_epoch = self.params.get("steps")
        self._before: Statistics | None = None
        self._has_warned = False

    @guarded
    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:  # noqa: D102
        self._epoch = epoch
        self._has_row = False
        self._count.epoch_begins(self.params)
        self._watch.epoch_begins(self, epoch)
        if self._table is None:
            record = self._watch.record
            self._table = TableWriter(record, "normalization", MEASURES, epoch)

    @guarded
    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:  # noqa: D102
        with guard_of(self).on_host():
            self._look_around(batch)
        self._watch.step_begins(self, batch)

    @guarded
    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:  # noqa: D102
        super().on_train_batch_end(batch, logs)
        self._count.step_ends(batch)

    @guarded
    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:  # noqa: D102
        n_steps = self._count.n
        if self._before is not None and n_steps > self._before_batch:
            with guard_of(self).on_host():
                self._measure(n_steps)
        self._before = None
        self._steps_per_epoch = n_steps
        self._watch.epoch_ends(self, epoch, logs or {})
        self._warn_of_single_values()

    @guarded
    def on_train_end(self, logs: Any = None) -> None:  # noqa: D102
        self._watch.fit_ends(self)

    def _look_around(self, batch: int) -> None:
        """Measure the step before this one, or begin to measure this one."""
        if self._before is not None and batch > self._before_batch:
            self._measure(batch)
        # the last batch may be a short one: take the one before it
        chosen = max((self._steps_per_epoch or 1) - 2, 0)
        is_free = self._before is None and not self._has_row
        if is_free and batch <= chosen < batch + int(self._model.steps_per_execution):
            self._read_before(batch)

    def _read_before(self, batch: int) -> None:
        self._before, self._before_batch = self._read(), batch

    def _read(self) -> Statistics:
        _ = self.model  # JAX syncs the moving averages
        return {
            label: (_numpy(layer.moving_mean), _numpy(layer.moving_variance))
            for label, layer in self._layers.items()
        }

    def _measure(self, batch: int) -> None:
        assert self._table is not None
        assert self._before is not None
        before, self._before = self._before, None
        self._has_row = True
        if not before:
            return
        n_steps = batch - self._before_batch
        columns = {
            label: normalization_drift(
                before[label], after, self._layers[label].momentum ** n_steps
            )
            for label, after in self._read().items()
        }
        self._table.append(self._count.first + batch, self._epoch, columns)

    def _warn_of_single_values(self) -> None:
        batch_size = self._watch.record.facts.get("batch_size")
        if self._has_warned or not batch_size:
            return
        for label, layer in self._layers.items():
            positions = _positions(layer)
            if positions is not None and batch_size * positions == 1:
                self._has_warned = True
                warnings.warn(
                    f"Batch normalisation '{label}' has one value per channel to "
                    f"normalise (batch size {batch_size}): its output in training is "
                    "`beta` whatever the input, so nothing before it is trained. Use "
                    "layer normalisation (`kd.layers.LayerNormalization`) or a larger "
                    "batch.",
                    stacklevel=2,
                )
                return


def _is_watchable(layer: Any) -> bool:
    return (
        kind_of(layer).state == "averages"
        and layer.built
        and layer.trainable
        and layer.momentum < 1
        and not getattr(layer, "renorm", False)
    )


def _positions(layer: Any) -> int | None:
    """Return the number of values per channel and sample, None if not known."""
    try:
        shape = tuple(layer.input.shape)
    except (AttributeError, ValueError):  # not part of a graph
        spec = layer.input_spec
        return 1 if spec is not None and spec.ndim == 2 else None
    lengths = [n for a, n in enumerate(shape) if a not in (0, layer.axis % len(shape))]
    return None if None in lengths else math.prod(lengths)


def _numpy(variable: Any) -> np.ndarray:
    return np.array(ops.convert_to_numpy(variable), np.float64)
