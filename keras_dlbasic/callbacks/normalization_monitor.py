"""How far batch normalization's moving averages are from the batches."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from keras import ops

from keras_dlbasic._keras.callbacks import model_of
from keras_dlbasic._keras.layer_kinds import kind_of
from keras_dlbasic.analysis.activations.normalization_drift import (
    MEASURES,
    normalization_drift,
)
from keras_dlbasic.callbacks.fit_watch import FitWatch
from keras_dlbasic.callbacks.guarded import guard_of
from keras_dlbasic.callbacks.monitor import Monitor
from keras_dlbasic.propagation.probe import probe_layers
from keras_dlbasic.records import TrainingRecord

Statistics = dict[str, tuple[np.ndarray, np.ndarray]]


class NormalizationMonitor(Monitor):
    """Record how far moving statistics are from batch statistics.

    Once per epoch, the moving averages of all batch normalization layers are read
    before and after a step. Their change gives the mean and variance of the batch,
    without an additional forward pass. `record.tables["normalization"]` has the
    distance between batch statistics and moving statistics for each layer (Keras' own
    and this package's). Inference uses the moving statistics. If the distance is large,
    `val_loss` says little about the weights: lower `momentum`, or train longer. There
    is also a warning if a channel has only one value to normalize: then the output is
    always `beta`.

    Args:
        record: A `TrainingRecord` to write to, shared with other callbacks. Defaults to
            None: the record of the other monitors in this fit, or a new one.

    Attributes:
        record: The record of the current or last fit. Raises a `ValueError` before the
            first fit.

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

    _table_name = "normalization"
    _measures = MEASURES

    def __init__(self, *, record: TrainingRecord | None = None) -> None:
        super().__init__(record)

    def _join(self) -> FitWatch:
        return FitWatch.join(self, "epoch", self._given_record)

    def _fit_begins(self) -> None:
        self._layers = {
            probe.label: probe.layer
            for probe in probe_layers(model_of(self))
            if _is_watchable(probe.layer)
        }
        self._steps_per_epoch = self.params.get("steps")
        self._before: Statistics | None = None
        self._measured_epoch: int | None = None
        self._has_warned = False

    def _step_begins(self, batch: int) -> None:
        """Measure the step before this one, or begin to measure this one."""
        if self._before is not None and batch > self._before_batch:
            self._measure(batch)
        # the last batch may be a short one: take the one before it
        chosen = max((self._steps_per_epoch or 1) - 2, 0)
        is_free = self._before is None and self._measured_epoch != self._epoch
        at_once = int(model_of(self).steps_per_execution)
        if is_free and batch <= chosen < batch + at_once:
            self._read_before(batch)

    def _epoch_ends(self, epoch: int, logs: dict[str, Any]) -> None:
        n_steps = self._count.n
        if self._before is not None and n_steps > self._before_batch:
            with guard_of(self).on_host():
                self._measure(n_steps)
        self._before = None
        self._steps_per_epoch = n_steps
        self._warn_of_single_values()

    def _read_before(self, batch: int) -> None:
        self._before, self._before_batch = self._read(), batch

    def _read(self) -> Statistics:
        _ = self.model  # JAX syncs the moving averages
        return {
            label: (_numpy(layer.moving_mean), _numpy(layer.moving_variance))
            for label, layer in self._layers.items()
        }

    def _measure(self, batch: int) -> None:
        assert self._before is not None
        before, self._before = self._before, None
        self._measured_epoch = self._epoch
        if not before:
            return
        # After n steps, the share momentum ** n of a moving average still is what it
        # was before. The rest came from the batches, whose statistics are solved for.
        n_steps = batch - self._before_batch
        columns = {
            label: normalization_drift(
                before[label], after, self._layers[label].momentum ** n_steps
            )
            for label, after in self._read().items()
        }
        self._write(self._count.first + batch, columns)

    def _warn_of_single_values(self) -> None:
        batch_size = self._watch.record.facts.batch_size
        if self._has_warned or not batch_size:
            return
        for label, layer in self._layers.items():
            positions = _positions(layer)
            if positions is not None and batch_size * positions == 1:
                self._has_warned = True
                guard_of(self).say(
                    f"Batch normalization '{label}' normalizes only one value per "
                    f"channel (batch size {batch_size}). So its output in training is "
                    "always `beta`, and the layers before it are not trained. Use "
                    "`kd.layers.LayerNormalization` or a larger batch.",
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
