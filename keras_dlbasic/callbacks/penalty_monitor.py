"""How much of the loss is penalty, during `fit`."""

from __future__ import annotations

from typing import Any

import numpy as np
from keras import ops

from keras_dlbasic._keras.penalized import PenalizedWeight, penalized_weights
from keras_dlbasic.callbacks.monitor import Monitor
from keras_dlbasic.records import TrainingRecord

MEASURES = ("penalty", "l1_mass", "l2_mass", "near_zero_weights", "near_zero_units")
SHARE = "penalty_share"


class PenaltyMonitor(Monitor):
    """Record the share of weight penalties in the loss, and the size of the weights.

    At the end of each epoch, `record.tables["penalties"]` gets a row. For each weight
    with a regularizer (Keras' own as well) it has the penalty, the L1 and L2 norm, and
    the share of entries and of units that are near zero. The record's epochs get
    `penalty`, the sum of the weights' penalties, and `penalty_share`, that sum divided
    by the epoch's `loss`. The loss is a mean over the epoch, but the penalty is that of
    the last weights, so the share is rough in a first epoch with fast progress.
    Penalties of activations are part of the loss but not of the sum. Weights and logs
    are not changed.

    Args:
        record: A `TrainingRecord` to write to, shared with other callbacks. Defaults to
            None: a new one for each fit.
        near_zero: An entry is near zero if its absolute value is at most this share of
            the initial root mean square of its weight. A unit is near zero if its norm
            is at most this share of the largest norm in its layer. Defaults to `1e-2`.
        verbose: 0 or 1. Whether to print a message when the penalty is more than half
            of the loss. Defaults to `0`.

    Attributes:
        record: The record of the current or last fit. Raises a `ValueError` before the
            first fit.

    Raises:
        ValueError: If `near_zero` or `verbose` is out of range, or, at the start of
            training, if no trainable weight of the model has a regularizer.

    Example:
    >>> import keras, numpy as np
    >>> import keras_dlbasic as kd
    >>> dense = keras.layers.Dense(1, kernel_regularizer=kd.regularizers.L2(0.1))
    >>> model = keras.Sequential([keras.Input((4,)), dense])
    >>> model.compile(optimizer="sgd", loss="mse")
    >>> monitor = kd.callbacks.PenaltyMonitor()
    >>> x, y = np.ones((64, 4)), np.ones((64, 1))
    >>> history = model.fit(x, y, epochs=2, verbose=0, callbacks=[monitor])
    >>> monitor.record.epochs["penalty_share"].shape
    (2,)
    """

    _table_name = "penalties"
    _measures = MEASURES

    def __init__(
        self,
        *,
        record: TrainingRecord | None = None,
        near_zero: float = 1e-2,
        verbose: int = 0,
    ) -> None:
        super().__init__(record, verbose)
        if not 0 <= near_zero < 1:
            raise ValueError(
                "`near_zero` is a share, from 0 to below 1. "
                f"Received: near_zero={near_zero!r}"
            )
        self.near_zero = near_zero

    def _fit_begins(self) -> None:
        self._has_said = False
        self._scales: dict[str, float] = {}
        for weight in penalized_weights(self.model):
            values = _numpy(weight)
            self._scales[weight.label] = float(np.sqrt(np.mean(values**2)))
        if not self._scales and self.model.built:
            raise ValueError(
                f"No trainable weight of model '{self.model.name}' has a regularizer, "
                "so there is no penalty to watch (Keras penalizes no frozen ones). "
                "Give layers a `kernel_regularizer`, such as "
                "`kd.regularizers.L2(1e-4)`, or remove the callback."
            )

    def _epoch_ends(self, epoch: int, logs: dict[str, Any]) -> None:
        weights = penalized_weights(self.model)
        self._say_factors(weights)
        columns = {weight.label: self._measure(weight) for weight in weights}
        self._write(self._count.so_far, columns)
        penalty = float(sum(column["penalty"] for column in columns.values()))
        loss = float(logs.get("loss", np.nan))
        share = penalty / loss if loss > 0 else float("nan")
        self._watch.log(epoch, {"penalty": penalty, SHARE: share})
        if self.verbose and share > 0.5 and not self._has_said:
            self._has_said = True
            self._messages.add(
                f"Epoch {epoch + 1}: {share:.0%} of the loss is weight penalty. "
                "Training minimizes the weights more than the loss on the data."
            )

    def _measure(self, weight: PenalizedWeight) -> dict[str, float]:
        values = _numpy(weight)
        # The scale is that of the weight when it was first seen. Relative to its
        # present size, a weight that the penalty shrinks would never be near zero.
        scale = self._scales.setdefault(
            weight.label, float(np.sqrt(np.mean(values**2)))
        )
        units = np.sqrt(np.sum(values.reshape(-1, values.shape[-1]) ** 2, axis=0))
        return {
            "penalty": weight.penalty(),
            "l1_mass": float(np.abs(values).sum()),
            "l2_mass": float(np.sqrt(np.sum(values**2))),
            "near_zero_weights": float(
                np.mean(np.abs(values) <= self.near_zero * scale)
            ),
            "near_zero_units": float(np.mean(units <= self.near_zero * units.max())),
        }

    def _say_factors(self, weights: list[PenalizedWeight]) -> None:
        self.record.note(penalties={w.label: w.description() for w in weights})


def _numpy(weight: PenalizedWeight) -> np.ndarray:
    values = np.asarray(ops.convert_to_numpy(weight.variable), np.float64)
    return values.reshape(1) if values.ndim == 0 else values
