"""How strongly single points pull: planted outliers, and suspects."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import keras
import numpy as np

from keras_dlbasic._trials.batch_sizes import count_rows, map_leaves
from keras_dlbasic._trials.seeded_model import (
    build_seeded,
    weights_digest,
)
from keras_dlbasic._trials.stored_batches import take
from keras_dlbasic._trials.stratified import split
from keras_dlbasic.analysis.evenly import evenly
from keras_dlbasic.analysis.experiments.outlier_result import (
    OutlierResult,
    average_precision,
    relative_ranks,
)
from keras_dlbasic.analysis.row_distances import row_distances
from keras_dlbasic.records import TrialResult
from keras_dlbasic.studies.base import Study
from keras_dlbasic.studies.fitted_trial import (
    StudyTask,
    Training,
    fit,
    score,
    score_rows,
)

KINDS = ("labels", "inputs")
MOST_LOOKS = 40
"""The loss of each row is looked at after this many epochs at most, evenly spread."""

FAR = 3.0
"""Planted inputs and numbers lie this many standard deviations off."""


class OutlierStudy(Study[OutlierResult]):
    """Measure the effect of wrong rows, and rank the rows to inspect.

    Wrong labels or outlying inputs are planted in given shares of the training rows,
    and the held-out error is measured. The result tells how well the planted rows are
    found, and ranks the rows of your data:

    - Wrong labels by two scores with equal weight. One is the loss of the row, averaged
      over the epochs: it is high for rows that are learned last or only memorized
      (Arpit et al. 2017; Toneva et al. 2019). The other is the loss of the row for a
      model trained on the other half of the rows, which cannot have memorized it
      (Feldman & Zhang 2020).
    - Outlying inputs by their distance to the five nearest rows. Their training loss is
      no help: rows that are far from all others are memorized first.

    Each trial trains on all rows, and then on each half of the rows for half as long.

    Args:
        build_model: A function without arguments that returns a compiled model; or a
            compiled model, which is cloned with new weights for each seed.
        x: Inputs: an array, tensor, data frame, list or a structure of these; or a data
            set, which is read into memory.
        y: Targets, likewise; None with a data set.
        validation_data: `(x, y)`, which is not changed. Defaults to None: a stratified
            30 % of `x` and `y` is held out.
        shares: Shares of the training rows. Defaults to `(0.1, 0.2, 0.4)`; 0 is always
            added.
        kinds: `"labels"`: a random other class, or for regression a target three
            standard deviations off. `"inputs"`: noise of three standard deviations, or
            for whole numbers (tokens) values from other rows. Defaults to both.
        seeds: The number of seeds, or a list of seeds. Defaults to 5.
        budget: `{"epochs": n}`, `{"updates": n}` or `{"samples": n}`. Defaults to 30
            epochs.
        batch_size: Samples in an update. Defaults to 32.
        directory: Folder in which finished trials are saved. Defaults to None: they are
            kept in memory only.
        overwrite: Whether to delete trials in `directory`. Defaults to `False`.
        verbose: 0 or 1: whether to show a progress bar.

    Attributes:
        rows: Indices of the training rows in `x`; the numbers of suspects refer to
            these.

    Raises:
        ValueError: If an argument is not one of the above.
        TypeError: If `build_model()` is not a compiled model.

    Example:
    >>> import keras, numpy as np
    >>> import keras_dlbasic as kd
    >>> def build_model():
    ...     model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    ...     model.compile(optimizer="sgd", loss="mse")
    ...     return model
    >>> x = np.random.default_rng(0).normal(size=(40, 2)).astype("float32")
    >>> study = kd.studies.OutlierStudy(
    ...     build_model, x, x.sum(axis=1), shares=(0.2,), kinds=("labels",), seeds=2,
    ...     budget={"epochs": 2}, verbose=0
    ... )
    >>> study.run().shares
    (0.0, 0.2)
    """

    def __init__(
        self,
        build_model: Any,
        x: Any,
        y: Any = None,
        *,
        validation_data: Any = None,
        shares: Sequence[float] = (0.1, 0.2, 0.4),
        kinds: Sequence[str] = KINDS,
        seeds: int | Iterable[int] = 5,
        budget: Any = None,
        batch_size: str | int = 32,
        directory: str | os.PathLike[str] | None = None,
        overwrite: bool = False,
        verbose: int = 1,
    ) -> None:
        _check(shares, kinds)
        super().__init__(
            build_model,
            x,
            y,
            validation_data,
            seeds=seeds,
            directory=directory,
            overwrite=overwrite,
            verbose=verbose,
        )
        data, self.rows = self._data, self._data.rows
        self.shares, self.kinds = tuple(s for s in shares if s), tuple(kinds)
        budget = {"epochs": 30} if budget is None else budget
        training = Training.of(budget, batch_size, len(self.rows))
        self._ask(
            run_outlier_trial,
            StudyTask(self._build_model, data.train, data.held_out, training),
            self._first_model(),
            training.about(),
        )

    def _arms(self) -> list[dict[str, Any]]:
        arms = [("none", 0.0)]
        arms += [(kind, float(share)) for kind in self.kinds for share in self.shares]
        return [{"kind": kind, "share": share} for kind, share in arms]

    def _result(self, trials: list[TrialResult]) -> OutlierResult:
        return OutlierResult(trials, about=self._about)


def run_outlier_trial(settings: Mapping[str, Any], task: StudyTask) -> dict[str, Any]:
    """Plant, train, and look at the loss of each row on the way."""
    seed = int(settings["seed"])
    data, planted = plant(task.data, settings["kind"], float(settings["share"]), seed)
    model = build_seeded(task.build_model, seed)
    values: dict[str, Any] = {"initial_weights": weights_digest(model)}
    looks = _Looks(data, task.training.epochs(count_rows(data)))
    fit(model, data, task.training, seed, callbacks=[looks])
    values["kind"] = score_rows(model, task.validation_data).kind
    values.update(score(model, data, "train"))
    values.update(score(model, task.validation_data, "val"))
    learned_late = relative_ranks(np.mean(looks.losses, axis=0))
    surprising = relative_ranks(held_out_losses(task, data, seed))
    labels = (learned_late + surprising) / 2
    inputs = _input_distances(data[0])
    values["row_scores"] = np.round(labels, 5)
    values["input_scores"] = np.round(inputs, 5)
    score_of = inputs if settings["kind"] == "inputs" else labels
    values["average_precision"] = average_precision(planted, score_of)
    return values


def held_out_losses(task: StudyTask, data: tuple[Any, Any], seed: int) -> np.ndarray:
    """Return the loss on each row of a model that was trained on the other half."""
    losses = np.zeros(count_rows(data))
    halves = split(data[1], 0.5, seed)
    for trained, held_out in (halves, halves[::-1]):
        model = build_seeded(task.build_model, seed)
        updates = max(1, task.training.updates // 2)
        fit(model, take(data, trained), task.training, seed, updates=updates)
        found = score_rows(model, take(data, held_out)).losses
        losses[held_out] = np.nan_to_num(found, posinf=1e6)
    return losses


def _input_distances(x: Any) -> np.ndarray:
    """Return the largest distance of a row to others in any of the inputs."""
    return np.max([row_distances(leaf) for leaf in keras.tree.flatten(x)], axis=0)


def plant(
    data: tuple[Any, Any], kind: str, share: float, seed: int
) -> tuple[tuple[Any, Any], np.ndarray]:
    """Return data with a share of wrong rows, and which they are."""
    x, y = data
    n = count_rows(x)
    rng = np.random.default_rng(seed)
    planted = np.zeros(n, bool)
    planted[rng.permutation(n)[: round(share * n)]] = True
    if not planted.any():
        return (x, y), planted
    if kind == "labels":
        y = map_leaves(lambda leaf: _wrong_labels(np.array(leaf), planted, rng), y)
    else:
        x = map_leaves(lambda leaf: _wrong_inputs(np.array(leaf), planted, rng), x)
    return (x, y), planted


def _wrong_labels(y: np.ndarray, rows: np.ndarray, rng: Any) -> np.ndarray:
    flat = y.reshape(len(y), -1)
    kinds, labels = np.unique(flat, axis=0, return_inverse=True)
    labels = labels.reshape(-1)
    if (flat == np.round(flat)).all() and 1 < len(kinds) <= len(y) / 2:
        # any class but its own
        moved = labels[rows] + rng.integers(1, len(kinds), rows.sum())
        flat[rows] = kinds[moved % len(kinds)]
    else:
        signs = rng.choice([-1.0, 1.0], size=(int(rows.sum()), flat.shape[1]))
        flat[rows] = flat[rows] + FAR * flat.std(axis=0) * signs
    return flat.reshape(y.shape)


def _wrong_inputs(x: np.ndarray, rows: np.ndarray, rng: Any) -> np.ndarray:
    n = int(rows.sum())
    if x.dtype.kind == "f":
        noise = rng.normal(size=(n, *x.shape[1:]))
        x[rows] = x[rows] + FAR * float(x.std()) * noise
        return x
    # Whole numbers may be words or pixels, of which not each number is one. Those of
    # other rows are, in the same place.
    flat = x.reshape(len(x), -1)
    others = rng.integers(0, len(x), size=(n, flat.shape[1]))
    flat[rows] = flat[others, np.arange(flat.shape[1])]
    return flat.reshape(x.shape)


class _Looks(keras.callbacks.Callback):
    """Takes the loss of each row after some epochs."""

    def __init__(self, data: Any, epochs: int) -> None:
        super().__init__()
        self._data = data
        self._at = set(evenly(epochs, MOST_LOOKS).tolist())
        self.losses: list[np.ndarray] = []

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        if epoch in self._at:
            losses = score_rows(self.model, self._data).losses
            # `fit` reports a run that diverges
            self.losses.append(np.nan_to_num(losses, posinf=1e6))


def _check(shares: Any, kinds: Any) -> None:
    if not all(isinstance(s, (int, float)) and 0 <= s < 1 for s in shares):
        raise ValueError(
            f"`shares` must be from 0 to below 1. Received: shares={shares!r}"
        )
    if isinstance(kinds, str) or not kinds or not set(kinds) <= set(KINDS):
        raise ValueError(f"`kinds` must be some of {KINDS}. Received: {kinds!r}")
