"""WeightAverage."""

from __future__ import annotations

import math
from typing import Any

import keras
import numpy as np

from keras_dlbasic._backends.processes import processes_of
from keras_dlbasic._data.kinds import is_data_set
from keras_dlbasic._data.read import read
from keras_dlbasic._keras.optimizer import (
    read_learning_rate,
    write_learning_rate,
)
from keras_dlbasic._wrong_arguments import names_nearest
from keras_dlbasic.callbacks.messages import Messages
from keras_dlbasic.ensembles.batch_statistics import (
    batch_normalizations,
    recompute_statistics,
)


@names_nearest
class WeightAverage(keras.callbacks.Callback):
    """Average the weights over the last epochs of training, and use the average.

    From epoch `start` on, the weights after every `every` epochs are added to a running
    mean. When the fit ends, the model gets the mean weights. The moving statistics of
    batch normalization depend on the weights, so they are recomputed over all rows of
    `x`. The result is one model: inference costs nothing extra.

    The logged metrics are those of the weights before averaging. Callbacks later in the
    list that restore weights (`EarlyStopping`) undo the averaging.

    Args:
        start: The epoch (0-based) after which averaging starts; a value below 1 is a
            share of all epochs. Defaults to `0.75`.
        every: Number of epochs between two sets of weights. Defaults to `1`.
        learning_rate: A constant learning rate from `start` on. Defaults to None: the
            optimizer's own. Izmailov et al. use a high rate, so that the weights move
            around the minimum. The original rate is restored when the fit ends.
        x: Training inputs, an array or a structure of arrays; needed for models with
            batch normalization.
        batch_size: Batch size for `x`. Defaults to `256`.
        verbose: 0 or 1. Whether to print a summary at the end. Defaults to `0`.

    Attributes:
        count: Number of sets of weights in the mean.
        average: The mean of the trainable weights, as a list of arrays in float64; None
            before the first.

    Raises:
        ValueError: If an argument is out of range; at the start of a fit if the model
            has batch normalization and there is no `x`, or no epoch would be averaged.

    Reference:
        Izmailov, Podoprikhin, Garipov, Vetrov & Wilson (2018), Averaging weights leads
        to wider optima and better generalization.

    Example:
    >>> import keras, numpy as np
    >>> import keras_dlbasic as kd
    >>> model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    >>> model.compile(optimizer="sgd", loss="mse")
    >>> averaging = kd.ensembles.WeightAverage(start=2)
    >>> x = np.ones((8, 1))
    >>> history = model.fit(x, x, epochs=5, verbose=0, callbacks=[averaging])
    >>> averaging.count
    3
    """

    def __init__(
        self,
        start: float = 0.75,
        *,
        every: int = 1,
        learning_rate: float | None = None,
        x: Any = None,
        batch_size: int = 256,
        verbose: int = 0,
    ) -> None:
        super().__init__()
        _check(start, every, learning_rate, batch_size)
        self.start = start
        self.every = every
        self.learning_rate = learning_rate
        self.x = x
        self.batch_size = batch_size
        self.verbose = verbose
        self.count = 0
        self.average: list[np.ndarray] | None = None
        self._messages = Messages()
        self._found_rate: float | None = None
        self._first: int | None = None

    def on_train_begin(self, logs: Any = None) -> None:  # noqa: D102
        model = self.model
        self._messages.is_silent = processes_of(model).is_silent
        self.count, self.average, self._first = 0, None, None
        self._last: int | None = None
        found = batch_normalizations(model)
        if found and self.x is None:
            raise ValueError(
                f"Model '{model.name}' has batch normalization ('{found[0].name}'), "
                "whose statistics must be recomputed for the averaged weights. Give "
                "training inputs: `WeightAverage(x=x)`."
            )
        # Reading a data set draws from it; it is read at the end only.
        if found and not is_data_set(self.x):
            read(self.x, model=model)
        if self.learning_rate is not None:
            # left from a fit that broke off
            if self._found_rate is not None:
                write_learning_rate(model.optimizer, self._found_rate)
            self._found_rate = read_learning_rate(model.optimizer)

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:  # noqa: D102
        if self._first is None:
            self._first = self._first_epoch(epoch)
        if self.learning_rate is not None and epoch == self._first:
            write_learning_rate(self.model.optimizer, self.learning_rate)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:  # noqa: D102
        assert self._first is not None
        if epoch < self._first or (epoch - self._first) % self.every:
            return
        if epoch == self._last:  # given twice to one fit
            return
        self._last = epoch
        self.count += 1
        weights = [
            np.asarray(keras.ops.convert_to_numpy(v.value), np.float64)
            for v in self.model.trainable_variables
        ]
        if self.average is None:
            self.average = weights
            return
        # A running mean in float64: the weights of earlier epochs need not be kept.
        self.average = [
            mean + (weight - mean) / self.count
            for mean, weight in zip(self.average, weights, strict=True)
        ]

    def on_train_end(self, logs: Any = None) -> None:  # noqa: D102
        model = self.model
        if self._found_rate is not None:
            write_learning_rate(model.optimizer, self._found_rate)
            self._found_rate = None
        if self.average is None:
            self._say(
                "Nothing was averaged: the fit ended before epoch "
                f"{(self._first or 0) + 1}."
            )
            return
        for variable, mean in zip(model.trainable_variables, self.average, strict=True):
            variable.assign(mean)
        if batch_normalizations(model):
            recompute_statistics(model, self.x, batch_size=self.batch_size)
        self._say(f"The model has the mean of the weights after {self.count} epochs.")

    def _first_epoch(self, begin: int) -> int:
        epochs = int((self.params or {}).get("epochs", 0))
        first = self.start
        if self.start < 1:
            first = begin + math.floor(self.start * (epochs - begin))
        if first >= epochs:
            raise ValueError(
                "No epoch would be averaged. Received: "
                f"start={self.start!r} with epochs={epochs}"
            )
        return max(int(first), begin)

    def _say(self, text: str) -> None:
        if self.verbose:
            self._messages.add(text)
            self._messages.say()


def _check(start: Any, every: Any, learning_rate: Any, batch_size: Any) -> None:
    is_share = isinstance(start, float) and 0 <= start < 1
    is_epoch = isinstance(start, int) and not isinstance(start, bool) and start >= 0
    if not (is_share or is_epoch):
        raise ValueError(
            "`start` must be an epoch from 0 on, or a share of the epochs below 1. "
            f"Received: start={start!r}"
        )
    for name, value in (("every", every), ("batch_size", batch_size)):
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise ValueError(
                f"`{name}` must be a positive integer. Received: {name}={value!r}"
            )
    if learning_rate is not None and not 0 < learning_rate < math.inf:
        raise ValueError(
            "`learning_rate` must be positive and finite. Received: "
            f"learning_rate={learning_rate!r}"
        )
