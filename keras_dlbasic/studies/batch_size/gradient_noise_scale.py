"""The gradient noise scale of a running fit."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from keras_dlbasic._arguments import check_whole
from keras_dlbasic._backends.generators import generators_kept
from keras_dlbasic._data.given_rows import GivenRows
from keras_dlbasic._data.read import Data
from keras_dlbasic._keras.callbacks import state_without_model
from keras_dlbasic._keras.optimizer import accumulated_gradients, steps_taken
from keras_dlbasic._trials.batch_sizes import count_rows
from keras_dlbasic._wrong_arguments import names_nearest
from keras_dlbasic.analysis import NoiseScaleCurve, gradient_noise_scale
from keras_dlbasic.callbacks.step_count import SafeUnlessOverridden, StepCount
from keras_dlbasic.studies.batch_size.gradient_probe import GradientProbe


class GradientNoiseScale(keras.callbacks.Callback):
    """Measure the gradient noise scale while a model trains.

    With gradient accumulation over at least 3 micro-steps, the gradients of the
    micro-steps are read from the optimizer, and no extra gradient is computed.
    Otherwise a copy of the model computes the gradients of `parts` extra batches of
    `small_batch` samples from `x` and `y`. Training is not changed. With several
    replicas of TensorFlow's `MirroredStrategy`, use `analysis.replica_noise_scale` on
    the record of a monitor.

    A batch size far below the noise scale wastes steps; one far above it wastes samples
    (McCandlish et al. 2018). With Adam and similar optimizers it gives the order of
    magnitude only.

    Args:
        x: Inputs for the extra batches. Defaults to None: needs gradient accumulation.
        y: Targets for the extra batches. None with a data set, whose batches are
            `(x, y)` without sample weights.
        every: Measure at every n-th update. Defaults to 50.
        small_batch: Samples in a small batch; under gradient accumulation the samples
            in a micro-batch. Defaults to 32.
        parts: Number of extra small batches; together they are the big batch. Defaults
            to 8.
        batch_size: Samples per update of the fit, for the plot. Defaults to None.

    Attributes:
        curve: An `analysis.NoiseScaleCurve`; `curve.overall()` is the estimate.

    Raises:
        ValueError: At the start of training, if there is neither gradient accumulation
            nor data, or if `steps_per_execution` hides the micro-steps.

    Example:
    >>> import keras, numpy as np
    >>> import keras_dlbasic as kd
    >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
    >>> model.compile(optimizer="sgd", loss="mse")
    >>> x = np.random.default_rng(0).normal(size=(320, 4)).astype("float32")
    >>> scale = kd.studies.GradientNoiseScale(x, x[:, :1], every=5, small_batch=8)
    >>> history = model.fit(x, x[:, :1], epochs=2, verbose=0, callbacks=[scale])
    >>> scale.curve.steps
    array([ 0,  5, 10, 15])
    """

    async_safe = SafeUnlessOverridden()

    @names_nearest
    def __init__(
        self,
        x: Any = None,
        y: Any = None,
        *,
        every: int = 50,
        small_batch: int = 32,
        parts: int = 8,
        batch_size: int | None = None,
    ) -> None:
        super().__init__()
        for name, value, least in (
            ("every", every, 1),
            ("small_batch", small_batch, 1),
            ("parts", parts, 2),
        ):
            check_whole(name, value, least)
        self.x = self.y = None
        self.every, self.small_batch, self.parts = every, small_batch, parts
        self._given: GivenRows | None = None
        if x is not None:
            self._given = GivenRows(x, y, self._all, needs_y=True, takes_weights=False)
        self.batch_size = batch_size
        self._rows: list[tuple[int, float, float]] = []
        self._facts: dict[str, Any] = {}

    def _all(self, found: Data) -> tuple[Any, Any]:
        least = self.small_batch * self.parts
        if found.n_rows < least:
            raise ValueError(
                f"`x` must have at least small_batch * parts = {least} samples. "
                f"Received: {found.n_rows}"
            )
        self.x, self.y = found.x, found.y
        return found.x, found.y

    @property
    def curve(self) -> NoiseScaleCurve:
        """The measurements so far."""
        steps = np.array([row[0] for row in self._rows], np.int64)
        noise, signal = (
            np.array([row[place] for row in self._rows], np.float64) for place in (1, 2)
        )
        return NoiseScaleCurve(steps, noise, signal, **self._facts)

    def __getstate__(self) -> dict[str, Any]:
        return state_without_model(self, "_probe")

    def on_train_begin(self, logs: Any = None) -> None:  # noqa: D102
        model = self.model
        optimizer = model.optimizer
        micro = getattr(optimizer, "gradient_accumulation_steps", None) or 1
        accumulates = micro >= 3
        if not accumulates and self._given is not None:
            self._given.of(model)
        if not accumulates and self.x is None:
            raise ValueError(
                "The gradient noise scale needs `x` and `y` for extra batches, or an "
                "optimizer with gradient_accumulation_steps >= 3. Received: x=None, "
                f"gradient_accumulation_steps={micro}"
            )
        if accumulates and model.steps_per_execution > 1:
            raise ValueError(
                "The gradient noise scale is read from the optimizer between "
                "micro-steps, but `steps_per_execution` merges them. Received: "
                f"steps_per_execution={model.steps_per_execution}, "
                f"gradient_accumulation_steps={micro}. Use `steps_per_execution=1`."
            )
        self._micro_steps, self._accumulates = micro, accumulates
        self._first_micro_step = 0
        if micro > 1:
            self._first_micro_step = steps_taken(optimizer) % micro
        self._count = StepCount()
        self._next_update = 0
        self._rows = []
        self._sum: Any = None
        self._norms: list[float] = []
        self._rng = np.random.default_rng(0)
        self._probe = None if accumulates else GradientProbe(_copy(model))
        batch = self.small_batch * micro if accumulates else self.batch_size
        self._facts = {
            "batch_size": float("nan") if batch is None else float(batch),
            "estimand": "population" if accumulates else "data",
            "optimizer": type(optimizer).__name__,
            "source": "micro-steps" if accumulates else "extra batches",
        }

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:  # noqa: D102
        self._count.epoch_begins(self.params)
        if self._micro_steps == 1:
            return
        # TensorFlow counts one more where data of unknown length end
        done = steps_taken(self.model.optimizer)
        drift = (done - self._first_micro_step - self._count.first) % self._micro_steps
        if drift:
            self._first_micro_step += drift
            self._sum = None  # a micro-step of this update had no batch

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:  # noqa: D102
        step = self._first_micro_step + self._count.first + batch
        update, micro_step = divmod(step, self._micro_steps)
        if self._accumulates:
            if update % self.every == 0:
                self._read_micro_step(update, micro_step)
        elif update >= self._next_update and (update or not micro_step):
            self._next_update = (update // self.every + 1) * self.every
            self._take_extra_batches(update)

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:  # noqa: D102
        super().on_train_batch_end(batch, logs)
        self._count.step_ends(batch)

    def _read_micro_step(self, update: int, done: int) -> None:
        if done == 0:
            self._sum, self._norms = 0.0, []
            return
        # the fit began amid an update, or the step begins again after an epoch whose
        # length was not known
        if self._sum is None or len(self._norms) >= done:
            return
        # Keras adds up the gradients of micro-steps in variables of the optimizer. What
        # a step added is the gradient of its micro-batch, at no extra cost.
        values = accumulated_gradients(self.model.optimizer)
        total = np.concatenate(
            [
                np.asarray(keras.ops.convert_to_numpy(v.value), np.float64).ravel()
                for v in values
            ]
        )
        self._norms.append(float(np.linalg.norm(total - self._sum)))
        self._sum = total
        # The last micro-step adds its gradient, updates and clears the sums in one go:
        # its gradient cannot be seen, and the big batch is all before it.
        if done == self._micro_steps - 1:
            scale = gradient_noise_scale(
                [self._norms],
                [np.linalg.norm(total) / done],
                small_batch=self.small_batch,
                big_batch=self.small_batch * done,
            )
            self._rows.append((update, scale.noise, scale.signal))

    def _take_extra_batches(self, update: int) -> None:
        rows = count_rows([self.x, self.y])
        most = self.small_batch * self.parts
        assert self._probe is not None
        weights = self.model.get_weights()
        try:
            with generators_kept():  # PyTorch draws what is dropped from its own
                noise, signal = self._probe.noise_and_signal(
                    weights,
                    (self.x, self.y),
                    self._rng.permutation(rows)[:most],
                    parts=self.parts,
                    data_size=rows,
                )
        except Exception as error:
            raise ValueError(
                "The gradient noise scale could not take its extra batches of "
                f"{self.small_batch} samples of `x` and `y` with a copy of the model "
                f"({type(error).__name__}: {_short(error)}). Give `x` and `y` as "
                "`fit` takes them and a `small_batch` that the model takes, or train "
                "with gradient accumulation."
            ) from error
        self._rows.append((update, noise, signal))


def _copy(model: Any) -> Any:
    """Return a compiled copy; the random generators stay as they are."""
    try:
        with generators_kept():
            copy = keras.saving.deserialize_keras_object(
                keras.saving.serialize_keras_object(model)
            )
            if not copy.built:
                copy.build(model.input_shape)
    except Exception as error:
        raise ValueError(
            "The gradient noise scale takes its extra batches with a copy of the "
            f"model, and {type(model).__name__} cannot be copied from its config "
            f"({type(error).__name__}: {_short(error)}). Give it `get_config`, and "
            "register the classes of your own with "
            "`keras.saving.register_keras_serializable`, or train with gradient "
            "accumulation."
        ) from error
    shapes = [[w.shape for w in each.get_weights()] for each in (model, copy)]
    if shapes[0] != shapes[1] or not copy.trainable_variables:
        raise ValueError(
            "The gradient noise scale takes its extra batches with a copy of the "
            f"model, which has {len(shapes[0])} weights, "
            f"{len(model.trainable_variables)} of them trainable. Its copy from the "
            f"config has {len(shapes[1])}, {len(copy.trainable_variables)} of them "
            "trainable. Expected the same, and some to train. Train with gradient "
            "accumulation, or leave the callback out."
        )
    return copy


def _short(error: Exception) -> str:
    """Return the text of an error in a line; Keras' may hold whole configs."""
    text = " ".join(str(error).split())
    return text if len(text) < 300 else text[:300] + "..."
