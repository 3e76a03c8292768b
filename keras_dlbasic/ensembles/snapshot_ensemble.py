"""SnapshotEnsemble."""

from __future__ import annotations

import math
from typing import Any

import keras
import numpy as np

from keras_dlbasic._backends.processes import processes_of
from keras_dlbasic._keras.callbacks import model_of
from keras_dlbasic._keras.copying import copy_of
from keras_dlbasic._keras.optimizer import (
    read_learning_rate,
    write_learning_rate,
)
from keras_dlbasic._wrong_arguments import names_nearest
from keras_dlbasic.callbacks.messages import Messages
from keras_dlbasic.callbacks.step_count import SafeUnlessOverridden, StepCount
from keras_dlbasic.ensembles.ensemble import Ensemble, without_optimizers


@names_nearest
class SnapshotEnsemble(keras.callbacks.Callback):
    """Save the weights at the end of each learning-rate cycle of one training.

    The epochs are divided into `cycles`. In each cycle the learning rate falls along
    half a cosine from its full value to 0. So the model converges to one minimum after
    the other. `ensemble()` returns an ensemble of these snapshots. It costs no extra
    training.

    If the number of epochs is not a multiple of `cycles`, the cycles differ in length
    by at most one epoch. In the paper all cycles but the last have `ceil(T / M)`
    updates, and the last one is cut short. Its snapshot would be taken at a high rate,
    before the model has converged.

    The rate is `learning_rate / 2 * (cos(pi * t) + 1)`, set at each update, where t
    goes from 0 to 1 within a cycle. It is logged as `learning_rate`, and the original
    rate is restored when the fit ends.

    Args:
        cycles: Number of cycles and snapshots. Defaults to `5`.
        learning_rate: Rate at the start of a cycle. Defaults to None: the rate of the
            optimizer at the start of the fit. Huang et al. use a high rate, 0.1 to 0.2
            for SGD.
        verbose: 0 or 1. Whether to print a message when a snapshot is taken. Defaults
            to `0`.

    Attributes:
        snapshots: The saved weights, as lists of arrays, in order.
        snapshot_epochs: The epochs (0-based) after which they were saved.

    Raises:
        ValueError: If an argument is out of range; at the start of a fit if it has
            fewer epochs than cycles or the optimizer follows a schedule.

    Reference:
        Huang, Li, Pleiss, Liu, Hopcroft & Weinberger (2017), Snapshot ensembles: train
        1, get M for free.

    Example:
    >>> import keras, numpy as np
    >>> import keras_dlbasic as kd
    >>> model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    >>> model.compile(optimizer=keras.optimizers.SGD(0.1), loss="mse")
    >>> snapshots = kd.ensembles.SnapshotEnsemble(cycles=2)
    >>> x = np.ones((8, 1))
    >>> history = model.fit(x, x, epochs=4, verbose=0, callbacks=[snapshots])
    >>> snapshots.snapshot_epochs
    [1, 3]
    >>> len(snapshots.ensemble().members)
    2
    """

    async_safe = SafeUnlessOverridden()

    def __init__(
        self, cycles: int = 5, *, learning_rate: float | None = None, verbose: int = 0
    ) -> None:
        super().__init__()
        if isinstance(cycles, bool) or not isinstance(cycles, int) or cycles < 1:
            raise ValueError(
                f"`cycles` must be a positive integer. Received: cycles={cycles!r}"
            )
        if learning_rate is not None and not 0 < learning_rate < math.inf:
            raise ValueError(
                "`learning_rate` must be positive and finite. Received: "
                f"learning_rate={learning_rate!r}"
            )
        self.cycles = cycles
        self.learning_rate = learning_rate
        self.verbose = verbose
        self.snapshots: list[list[np.ndarray]] = []
        self.snapshot_epochs: list[int] = []
        self._messages = Messages()
        self._found_rate: float | None = None
        self._bounds: list[int] = []

    def on_train_begin(self, logs: Any = None) -> None:  # noqa: D102
        self._messages.is_silent = processes_of(model_of(self)).is_silent
        epochs = int((self.params or {}).get("epochs", 0))
        if epochs < self.cycles:
            raise ValueError(
                f"{self.cycles} cycles need at least as many epochs. Received: "
                f"cycles={self.cycles}, epochs={epochs}"
            )
        # left from a fit that broke off in mid-cycle
        if self._found_rate is not None:
            write_learning_rate(self.model.optimizer, self._found_rate)
        self._found_rate = read_learning_rate(self.model.optimizer)
        self.snapshots, self.snapshot_epochs = [], []
        self._bounds, self._steps = [], self.params.get("steps")
        self._count = StepCount()

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:  # noqa: D102
        self._messages.say()
        if not self._bounds:
            self._bounds = _cycle_bounds(epoch, self.params["epochs"], self.cycles)
        self._epoch = epoch
        self._count.epoch_begins(self.params)

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:  # noqa: D102
        # on JAX `self.model` brings the variables up to date, which the rate is one of
        write_learning_rate(self.model.optimizer, self._rate(batch))

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:  # noqa: D102
        super().on_train_batch_end(batch, logs)
        self._count.step_ends(batch)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:  # noqa: D102
        self._steps = self._steps or self._count.n
        model = self.model
        if logs is not None:
            logs["learning_rate"] = read_learning_rate(model.optimizer)
        if epoch + 1 in self._bounds[1:] and epoch not in self.snapshot_epochs:
            self.snapshots.append([np.array(w) for w in model.get_weights()])
            self.snapshot_epochs.append(epoch)
            if self.verbose:
                number = len(self.snapshots)
                self._messages.add(
                    f"Snapshot {number} of {self.cycles} kept after epoch {epoch + 1}."
                )

    def on_train_end(self, logs: Any = None) -> None:  # noqa: D102
        assert self._found_rate is not None
        write_learning_rate(self.model.optimizer, self._found_rate)
        self._found_rate = None
        self._messages.say()

    def ensemble(self, last: int | None = None) -> Ensemble:
        """Return an ensemble of copies of the model with the saved weights.

        Args:
            last: Number of snapshots to use, counted from the last. Defaults to None:
                all.

        Raises:
            ValueError: If there is no snapshot yet, `last` is out of range, or Keras
                cannot clone the model.
        """
        if not self.snapshots or not (last is None or 1 <= last <= len(self.snapshots)):
            raise ValueError(
                "Snapshots are kept at the end of each cycle of a fit. Received: "
                f"last={last!r} with {len(self.snapshots)} snapshots kept"
            )
        members = []
        for weights in self.snapshots[-(last or 0) :]:
            member = copy_of(self.model)
            member.set_weights(weights)
            members.append(member)
        return without_optimizers(Ensemble(members))

    def _rate(self, batch: int) -> float:
        assert self._found_rate is not None
        full = self.learning_rate or self._found_rate
        cycle = int(np.searchsorted(self._bounds, self._epoch, side="right")) - 1
        start, end = self._bounds[cycle], self._bounds[cycle + 1]
        # until the first epoch has ended, a data set may not know its length
        within = batch / self._steps if self._steps else 0.0
        # In each cycle anew, the rate falls from its full value to zero along half a
        # cosine (Huang et al. 2017, Snapshot ensembles).
        done = (self._epoch - start + min(within, 1.0)) / (end - start)
        return full / 2 * (math.cos(math.pi * done) + 1)


def _cycle_bounds(first: int, epochs: int, cycles: int) -> list[int]:
    """Return the epochs at which cycles begin, and the one after the last."""
    cycles = min(cycles, epochs - first)
    bounds = np.linspace(first, epochs, cycles + 1).round().astype(int)
    return [int(bound) for bound in bounds]
