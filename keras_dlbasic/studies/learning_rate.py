"""The learning-rate range test."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import keras
import numpy as np

from keras_dlbasic._arguments import check_whole, is_number, shown
from keras_dlbasic._data.built import built_from
from keras_dlbasic._data.fits import check_fits
from keras_dlbasic._data.read import read
from keras_dlbasic._keras.callbacks import model_of
from keras_dlbasic._keras.checks import check_compiled
from keras_dlbasic._keras.rebuild import compile_like
from keras_dlbasic._keras.rebuildable import why_not_rebuilt
from keras_dlbasic._trials.batch_sizes import count_rows
from keras_dlbasic._trials.builder import builder_of
from keras_dlbasic._trials.one_device import refuse_several_devices
from keras_dlbasic._trials.seeded import seeded
from keras_dlbasic._trials.seeded_model import build_seeded
from keras_dlbasic._trials.step_progress import StepProgress
from keras_dlbasic._trials.stored_batches import take
from keras_dlbasic._wrong_arguments import names_nearest
from keras_dlbasic.analysis import LearningRateRange
from keras_dlbasic.analysis.experiments.learning_rate_range import judge_learning_rates
from keras_dlbasic.callbacks import GradientNormMonitor
from keras_dlbasic.inspection.loss_fault import loss_fault
from keras_dlbasic.inspection.preflight import preflight
from keras_dlbasic.remedies import change_learning_rate


class LearningRateRangeTest:
    """Find a learning rate by raising it from step to step (Smith 2017).

    A copy of the model trains for `steps` updates while the rate grows geometrically
    from `low` to `high`, within the compiled step. A model that cannot be copied, such
    as a subclassed one, is trained itself; then its weights and its optimizer are
    restored. Batches differ in difficulty: the difference that the initial weights show
    is subtracted from the loss of each batch, so fewer steps are enough.

    Args:
        model: A compiled model, or a function without arguments that returns one. The
            test starts from the weights of the model.
        x: Training inputs: an array, tensor, data frame, list or a structure of these;
            or a data set, of which as many rows are read as `steps` updates need.
        y: Training targets, likewise; None with a data set, or for a model without a
            compiled loss.
        low: First learning rate. Defaults to 1e-6.
        high: Last learning rate. Defaults to 10.
        steps: Number of updates. Defaults to 100.
        batch_size: Samples in an update. Defaults to 32.
        seed: Seed of the order of the samples and, for a function, of the initial
            weights. Defaults to 0.
        verbose: 0: silent; 1 (default): shows the progress.

    Raises:
        ValueError: If `low`, `high` and `steps` do not define a range, the data do not
            fit each other or the model, or, in `run`, the loss cannot be computed.

    Example:
    >>> import keras, numpy as np
    >>> import keras_dlbasic as kd
    >>> x = np.random.default_rng(0).normal(size=(64, 4)).astype("float32")
    >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
    >>> model.compile(optimizer="sgd", loss="mse")
    >>> result = kd.studies.LearningRateRangeTest(model, x, x[:, :1] + 3).run()
    >>> 1e-3 < result.suggestion < 1
    True
    """

    @names_nearest
    def __init__(
        self,
        model: Any,
        x: Any,
        y: Any = None,
        *,
        low: float = 1e-6,
        high: float = 10.0,
        steps: int = 100,
        batch_size: int = 32,
        seed: int = 0,
        verbose: int = 1,
    ) -> None:
        check_whole("steps", steps, 10)
        check_whole("batch_size", batch_size)
        if not (is_number(low) and is_number(high)) or not 0 < low < high:
            raise ValueError(
                "Expected 0 < low < high. Received: "
                f"low={shown(low)}, high={shown(high)}"
            )
        self._model = model
        if not isinstance(model, keras.Model):
            self._model = builder_of(model, name="model")
        else:
            check_compiled(model)
        known = model if isinstance(model, keras.Model) else None
        most = int(steps) * int(batch_size)
        # a model may make all its loss itself, as autoencoders do by `add_loss`
        needs_y = known is None or known.loss is not None
        found = read(x, y, model=known, most=most, needs_y=needs_y, takes_weights=False)
        self._data = found.x, found.y
        self._low, self._high, self._steps = float(low), float(high), int(steps)
        self._batch_size, self._seed = batch_size, seed
        self._verbose = verbose
        self._last: LearningRateRange | None = None

    def run(self) -> LearningRateRange:
        """Run the test. All random generators are restored afterwards."""
        self._last = self._run()
        return self._last

    def plot(self, **options: Any) -> Any:
        """Draw the result of the last `run` (`plots.plot_learning_rate_range`).

        Args:
            **options: Arguments of that plot, such as `ax`.

        Raises:
            RuntimeError: If `run` was not called yet.
        """
        if self._last is None:
            raise RuntimeError("This range test has not been run. Call `test.run()`.")
        return self._last.plot(**options)

    def _run(self) -> LearningRateRange:
        with seeded(self._seed):
            if not isinstance(self._model, keras.Model):
                built = build_seeded(self._model, self._seed)
                check_fits(built, self._data[0], y=self._data[1])
                built_from(built, self._data[0])
                is_known = why_not_rebuilt(built) is None
                return self._judge(self._raised(built, in_place=not is_known))
            refuse_several_devices(self._model, "The learning-rate range test")
            built_from(self._model, self._data[0])
            # Of a model that can be rebuilt, a copy is trained. Any other is trained
            # itself, and then gets its weights and optimizer back.
            if why_not_rebuilt(self._model) is None:
                return self._judge(self._raised(self._model))
            with _put_back(self._model):
                return self._judge(self._raised(self._model, in_place=True))

    def _raised(self, model: Any, *, in_place: bool = False) -> Any:
        """Return a model compiled with a learning rate that grows."""
        growth = (self._high / self._low) ** (1.0 / (self._steps - 1))
        # A decay with a factor above one makes the rate grow by it at each step.
        schedule = keras.optimizers.schedules.ExponentialDecay(
            self._low, decay_steps=1, decay_rate=growth
        )
        return change_learning_rate(model, schedule, in_place=in_place)

    def _judge(self, model: Any) -> LearningRateRange:
        _check_trainable(model)
        rows = count_rows(list(self._data))
        batch = min(self._batch_size, rows)
        order = np.random.default_rng(self._seed).permutation(rows)
        # Whole batches only, each of which comes again in the same order: so the loss
        # of a batch can be compared with what it was before training.
        n = min(rows // batch, self._steps)
        data = take(self._data, order[: n * batch])
        before = _first_losses(model, data, n, batch)
        monitor = GradientNormMonitor(every=1)
        keras.utils.set_random_seed(self._seed)
        with self._progress() as progress:
            model.fit(
                *data,
                batch_size=batch,
                epochs=-(-self._steps // n),
                shuffle=False,
                verbose=0,
                callbacks=[monitor, _StopAfter(self._steps, progress)],
            )
        record = monitor.record
        finite = np.isfinite(record.learning_rate)
        losses = _same_batches(record.batch_loss, before)
        return judge_learning_rates(record.learning_rate[finite], losses[finite])

    def _progress(self) -> AbstractContextManager[StepProgress | None]:
        if not self._verbose:
            return nullcontext()
        return StepProgress("range test", self._steps)


@contextmanager
def _put_back(model: Any) -> Iterator[None]:
    """Give a model its weights, seeds and optimizer back."""
    optimizer = model.optimizer
    before = [keras.ops.copy(variable) for variable in model.variables]
    try:
        yield
    finally:
        try:
            for variable, value in zip(model.variables, before, strict=True):
                variable.assign(value)
        finally:
            compile_like(model, model, optimizer=optimizer)


def _check_trainable(model: Any) -> None:
    if not model.trainable_variables:
        raise ValueError(
            f"Model '{model.name}' has no trainable weights, so no learning rate "
            "changes anything. Unfreeze layers by `layer.trainable = True`."
        )


def _first_losses(model: Any, data: Any, n: int, batch: int) -> np.ndarray:
    """Return the loss of each batch, or raise what is wrong with model and data.

    The errors of backends speak of tensors, and JAX goes on with a wrong loss.
    """
    error = None
    losses = np.array([np.nan])
    wrong = loss_fault(model, *data)
    if wrong is None:
        try:
            losses = _losses(model, data, n, batch)
        except Exception as caught:  # of the user's model and data
            error = caught
        if np.isfinite(losses).any():
            return losses
        found = preflight(model, *data)
        wrong = next((one for one in found if one.severity == "critical"), None)
    if wrong is not None:
        way = "; or ".join(one.code for one in wrong.remedies if one.code)
        raise ValueError(
            f"The loss of the model '{model.name}' cannot be computed. "
            f"{wrong.message} What to do: {way or 'see `kd.preflight`'}."
        ) from error
    if error is not None:
        raise error
    return losses


def _losses(model: Any, data: Any, n: int, batch: int) -> np.ndarray:
    """Return the loss of each batch with the weights as they are."""
    rows = np.arange(batch)
    found = []
    for place in range(n):
        model.reset_metrics()  # Keras before 3.15 returns the mean over all calls
        x, y = take(data, rows + place * batch)
        # tensors, as in a fit: a metric of the user's may subtract them as they are
        y = keras.tree.map_structure(
            lambda leaf: None if leaf is None else keras.ops.convert_to_tensor(leaf), y
        )
        logs = model.test_on_batch(x, y, return_dict=True)
        found.append(float(logs["loss"]))
    return np.array(found)


def _same_batches(losses: np.ndarray, before: np.ndarray) -> np.ndarray:
    """Take out what makes one batch harder than another, where that is less noise.

    Args:
        losses: Loss of each step.
        before: Loss of each batch before training; the batches come again and again.
    """
    harder = before[np.arange(len(losses)) % len(before)] - before.mean()
    early = slice(0, max(5, len(losses) // 3))
    if np.std(np.diff((losses - harder)[early])) < np.std(np.diff(losses[early])):
        return losses - harder
    return losses


class _StopAfter(keras.callbacks.Callback):
    """Ends a fit after some steps, and shows how many were done."""

    def __init__(self, steps: int, progress: StepProgress | None) -> None:
        super().__init__()
        self._steps, self._progress = steps, progress
        self._done = 0

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self._done += 1
        if self._progress is not None:
            self._progress.show(self._done)
        if self._done == self._steps:
            model_of(self).stop_training = True
