"""One trial of a batch size."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import keras
import numpy as np

from keras_dlbasic._keras.optimizer import schedule_of
from keras_dlbasic._trials.batch_sizes import count_rows
from keras_dlbasic._trials.budget import Budget
from keras_dlbasic._trials.seeded_model import build_seeded, weights_digest
from keras_dlbasic._trials.stored_batches import (
    StoredBatches,
    is_on_disk,
    sample,
    take,
)
from keras_dlbasic._trials.watch import TrialWatch, pause_steps
from keras_dlbasic._trials.worker import DivergedError
from keras_dlbasic.analysis.gradients.update_noise import UpdateNoise
from keras_dlbasic.studies.batch_size.full_batch import full_batch
from keras_dlbasic.studies.batch_size.gradient_probe import GradientProbe

REFERENCE = 32
"""The batch size to which a learning-rate scaling rule refers: Keras' default."""

SCALING: dict[str, Callable[[float], float]] = {
    "none": lambda ratio: 1.0,
    "linear": lambda ratio: ratio,
    "sqrt": lambda ratio: ratio**0.5,
}

MICRO_BATCH = 256
"""Rows that are in memory at once under the full batch of data on disk."""

EVALUATED_ROWS = 4096
EVALUATED_AT_ONCE = 512
NOISE_ROWS = 1024
NOISE_PARTS = 16
WINDOW = 16
"""Successive updates that are compared with each other."""

WINDOW_GRADIENTS = 5
"""At this many of their places a gradient and a batch loss are taken."""


@dataclass(frozen=True)
class BatchSizeTask:
    """What all trials of a study of batch sizes share."""

    build_model: Callable[[], Any]
    data: tuple[Any, Any]
    validation_data: tuple[Any, Any] | None
    budget: Budget
    learning_rate_scaling: str
    micro_batch: int | None = None

    @property
    def at_once(self) -> int | None:
        """Most rows that go through the model at once under the full batch."""
        if self.micro_batch is None and is_on_disk(self.data):
            return MICRO_BATCH
        return self.micro_batch


def run_batch_size_trial(
    settings: Mapping[str, Any], task: BatchSizeTask
) -> dict[str, Any]:
    """Train with one batch size from the weights of one seed, and measure."""
    seed, batch = int(settings["seed"]), int(settings["batch_size"])
    rows = count_rows(task.data)
    # Gradients are measured on a second model, so the one in training is not touched.
    probe = GradientProbe(build_seeded(task.build_model, seed))
    model = build_seeded(task.build_model, seed)
    values: dict[str, Any] = {
        "initial_weights": weights_digest(model),
        "parameters": int(model.count_params()),
    }
    values["learning_rate"] = scale_learning_rate(
        model.optimizer, task.learning_rate_scaling, batch
    )
    fitted = fit_arguments(model, task, batch, seed)
    micro_steps = getattr(fitted["x"], "micro_steps", 1)
    # The step is compiled before the clock starts: compiling would cost the batch sizes
    # different shares of their time.
    if isinstance(fitted["x"], keras.utils.PyDataset):
        warm_up_batches(model, fitted["x"])
    else:
        warm_up(model, task.data, batch, rows)
    most = task.budget.updates(batch, rows)
    measures = _Measures(task, probe, batch, most, np.random.default_rng(seed))
    watch = TrialWatch(
        measures.is_due,
        measures.take,
        updates=most,
        seconds=task.budget.amount if most is None else None,
        micro_steps=micro_steps,
    )
    # Warming up has drawn from the generators, so they start again from the seed.
    keras.utils.set_random_seed(seed)
    model.fit(
        **fitted,
        epochs=10**9 if most is None else -(-most // -(-rows // batch)),
        verbose=0,
        callbacks=[watch],
    )
    measures.take(model, watch.updates, watch.seconds, end=True)
    values.update(measures.values())
    values.update(_speed(watch, batch, rows))
    if measures.diverged:
        raise DivergedError(measures.diverged, values)
    for prefix, data in (("train", task.data), ("val", task.validation_data)):
        if data is not None:
            scores = evaluate(model, data)
            values.update({f"{prefix}_{name}": v for name, v in scores.items()})
    return values


def fit_arguments(
    model: Any, task: BatchSizeTask, batch: int, seed: int
) -> dict[str, Any]:
    """Return what `model.fit` gets; under `full_batch` the model gets its optimizer."""
    x, y = task.data
    at_once = task.at_once
    if at_once is not None and batch >= count_rows(task.data) > at_once:
        dataset, model.optimizer = full_batch(
            x, y, model.optimizer, micro_batch=at_once, model=model
        )
        return {"x": dataset, "shuffle": False}
    if is_on_disk(task.data):
        batches = StoredBatches(x, y, batch_size=batch, seed=seed)
        return {"x": batches, "shuffle": False}
    return {"x": x, "y": y, "batch_size": batch}


def scale_learning_rate(optimizer: Any, rule: str, batch_size: int) -> float:
    """Scale the learning rate from 32 samples to `batch_size`; return what it is."""
    factor = SCALING[rule](batch_size / REFERENCE)
    if rule != "none":
        if schedule_of(optimizer) is not None:
            raise ValueError(
                f"learning_rate_scaling={rule!r} needs a learning rate that is a "
                "number; a schedule or function must be scaled in `build_model`"
            )
        optimizer.learning_rate = float(optimizer.learning_rate) * factor
    return float(keras.ops.convert_to_numpy(optimizer.learning_rate))


def evaluate(model: Any, data: tuple[Any, Any]) -> dict[str, float]:
    """Return loss and metrics, in inference mode."""
    given = {"x": data[0], "y": data[1], "batch_size": EVALUATED_AT_ONCE}
    if is_on_disk(data):
        given = {"x": StoredBatches(*data, batch_size=EVALUATED_AT_ONCE)}
    scores = model.evaluate(**given, verbose=0, return_dict=True)
    # `evaluate` puts PyTorch's modules into evaluation mode, and the fit around it goes
    # on.
    if keras.backend.backend() == "torch":
        model.train()
    return {name: float(np.mean(value)) for name, value in scores.items()}


def samples_seen(updates: int, batch_size: int, rows: int) -> int:
    """Return how many samples went into updates; the last batch may be shorter."""
    epochs, rest = divmod(updates, -(-rows // batch_size))
    return int(epochs * rows + min(rest * batch_size, rows))


class _Measures:
    """What is taken in the pauses of a trial."""

    def __init__(
        self,
        task: BatchSizeTask,
        probe: GradientProbe,
        batch: int,
        most: int | None,
        rng: np.random.Generator,
    ) -> None:
        self._task, self._probe, self._batch, self._rng = task, probe, batch, rng
        self._rows = count_rows(task.data)
        # The same rows in all trials, whatever their seed: they are compared by this
        # loss.
        self._sample = sample(task.data, EVALUATED_ROWS)
        self._points = pause_steps(most)
        self._starts = window_starts(most)
        self._length = WINDOW if most is None else min(WINDOW, most)
        self._window: _Window | None = None
        self._curve: list[tuple[float, ...]] = []
        self._noise: list[dict[str, float]] = []
        self.diverged = ""

    def is_due(self, updates: int) -> bool:
        """Return whether to pause before this update."""
        return updates in self._points or self._is_watched(updates)

    def take(self, model: Any, updates: int, seconds: float, end: bool = False) -> bool:
        """Measure; return whether to go on."""
        # A window collects the weights before each of its updates. If the next window
        # starts where this one ends, the last weights of this one are the first of the
        # next.
        if self._is_watched(updates):
            if self._window is None:
                self._window = _Window(updates)
            self._window.add(model.get_weights())
            if end or self._window.moves.updates == self._length:
                self._close_window()
                if not end and updates in self._starts:
                    self._window = _Window(updates)
                    self._window.add(model.get_weights())
        if end or updates in self._points:
            self._add_point(model, updates, seconds)
        return not self.diverged

    def _is_watched(self, updates: int) -> bool:
        return self._window is not None or updates in self._starts

    def values(self) -> dict[str, Any]:
        """Return curves and noise."""
        names = ("updates", "seconds", "loss", "val_loss")
        columns = np.array(self._curve, np.float64).reshape(-1, len(names)).T
        values: dict[str, Any] = {
            f"curve_{n}": c for n, c in zip(names, columns, strict=True)
        }
        values["curve_samples"] = np.array(
            [samples_seen(int(u), self._batch, self._rows) for u in columns[0]]
        )
        for name in ("update_noise", "gradient_cosine", "loss_jitter"):
            found = np.array([w[name] for w in self._noise], np.float64)
            found = found[np.isfinite(found)]
            values[name] = float(np.mean(found)) if len(found) else float("nan")
        for name in ("noise_updates", "noise_trace", "noise_signal"):
            values[name] = np.array([w[name] for w in self._noise], np.float64)
        return values

    def _add_point(self, model: Any, updates: int, seconds: float) -> None:
        loss = evaluate(model, self._sample)["loss"]
        val_loss = float("nan")
        if self._task.validation_data is not None:
            val_loss = evaluate(model, self._task.validation_data)["loss"]
        self._curve.append((updates, seconds, loss, val_loss))
        if not np.isfinite(loss):
            self.diverged = f"the training loss is {loss} after {updates} updates"

    def _close_window(self) -> None:
        window, self._window = self._window, None
        if window is None or window.moves.updates < 2:
            return
        gradients, losses = [], []
        for weights in window.places:
            # fresh rows at each place: the noise is that of drawing a batch
            rows = self._rng.permutation(self._rows)[: self._batch]
            gradient, loss = self._probe.gradient_of_rows(
                weights, self._task.data, rows, at_once=self._task.at_once or len(rows)
            )
            gradients.append(gradient)
            losses.append(loss)
        cosines = [_cosine(a, b) for a, b in pairwise(gradients)]
        trace, signal = self._noise_scale(window.places[0])
        self._noise.append(
            {
                "update_noise": window.moves.value,
                "gradient_cosine": float(np.mean(cosines)),
                "loss_jitter": _jitter(np.array(losses)),
                "noise_updates": window.start,
                "noise_trace": trace,
                "noise_signal": signal,
            }
        )

    def _noise_scale(self, weights: list[np.ndarray]) -> tuple[float, float]:
        parts = min(NOISE_PARTS, self._rows)
        if parts < 2:
            return float("nan"), float("nan")
        most = min(self._rows, NOISE_ROWS) // parts * parts
        return self._probe.noise_and_signal(
            weights,
            self._task.data,
            self._rng.permutation(self._rows)[:most],
            parts=parts,
            data_size=self._rows,
        )


class _Window:
    """Some successive updates."""

    def __init__(self, start: int) -> None:
        self.start = start
        self.moves = UpdateNoise()
        self.places: list[list[np.ndarray]] = []

    def add(self, weights: list[np.ndarray]) -> None:
        self.moves.add(_vector(weights))
        if len(self.places) < WINDOW_GRADIENTS:
            self.places.append(weights)


def window_starts(most: int | None) -> list[int]:
    """Return before which updates windows start: at first, and spread, apart."""
    # With a budget in seconds the number of updates is not known, so windows start ever
    # further apart.
    if most is None:
        return [0, *(32 * 6**power for power in range(8))]
    length = min(WINDOW, most)
    starts: list[int] = []
    for start in np.linspace(0, most - length, 4).round().astype(int).tolist():
        if not starts or start >= starts[-1] + length:
            starts.append(start)
    return starts


def warm_up(model: Any, data: Any, batch: int, rows: int) -> None:
    """Compile the step for whole and last partial batches; undo what it trained.

    Keras' first `fit` of a model also draws one order of the samples more than later
    ones.
    """
    few = take(data, np.arange(min(rows, batch + rows % batch)))
    with _undone(model, few):
        model.fit(*few, batch_size=batch, epochs=1, shuffle=False, verbose=0)


def warm_up_batches(model: Any, batches: Any) -> None:
    """Do the same for a data set that makes its own batches."""
    first, last = batches[0], batches[len(batches) - 1]
    with _undone(model, first):
        for batch in (first, last):
            model.fit(_Given([batch]), epochs=1, shuffle=False, verbose=0)


class _Given(keras.utils.PyDataset):
    """Batches that were read already."""

    def __init__(self, batches: list[Any]) -> None:
        super().__init__()
        self._batches = batches

    def __len__(self) -> int:
        return len(self._batches)

    def __getitem__(self, index: int) -> Any:
        return self._batches[index]


@contextmanager
def _undone(model: Any, batch: Any) -> Iterator[None]:
    """Put variables back to what they were."""
    _build(model, batch)
    variables = [*model.variables, *model.optimizer.variables]
    before = [keras.ops.convert_to_numpy(v.value) for v in variables]
    yield
    for variable, value in zip(variables, before, strict=True):
        variable.assign(value)
    model.reset_metrics()


def _build(model: Any, batch: Any) -> None:
    if not model.built:
        model.build(tuple(np.shape(batch[0])))
    if not model.optimizer.built:
        model.optimizer.build(model.trainable_variables)


def _speed(watch: TrialWatch, batch: int, rows: int) -> dict[str, float]:
    samples = samples_seen(watch.updates, batch, rows)
    each = [seconds / updates for seconds, updates in watch.spans]
    typical = float(np.median(each)) if each else float("nan")
    return {
        "updates": watch.updates,
        "samples": samples,
        "epochs": samples / rows,
        "seconds": watch.seconds,
        "seconds_per_update": typical,
        "updates_per_second": 1.0 / typical,
        "samples_per_second": samples / watch.updates / typical,
    }


def _vector(weights: list[np.ndarray]) -> np.ndarray:
    return np.concatenate([np.asarray(w, np.float64).ravel() for w in weights])


def _cosine(a: np.ndarray, b: np.ndarray) -> float:
    # sums, no products of matrices: those depend on the number of threads
    size = float(np.sqrt(np.sum(a * a) * np.sum(b * b)))
    return float(np.sum(a * b)) / size if size > 0 else float("nan")


def _jitter(losses: np.ndarray) -> float:
    """Return the scatter of losses around their trend, relative to their mean."""
    if len(losses) < 3:
        return float("nan")
    # second differences of independent values have six times their variance
    scatter = np.sqrt(np.mean(np.diff(losses, 2) ** 2) / 6)
    return float(scatter / abs(np.mean(losses)))
