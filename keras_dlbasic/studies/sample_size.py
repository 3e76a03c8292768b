"""Error against the size of the training set, on the user's own model."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from keras_dlbasic._arguments import as_list
from keras_dlbasic._trials.seeded_model import (
    build_seeded,
    weights_digest,
)
from keras_dlbasic._trials.stored_batches import take
from keras_dlbasic._trials.stratified import stratified_order
from keras_dlbasic.analysis.experiments.sample_size_result import SampleSizeResult
from keras_dlbasic.records import TrialResult
from keras_dlbasic.studies.base import Study
from keras_dlbasic.studies.fitted_trial import StudyTask, Training, fit, score


class SampleSizeStudy(Study[SampleSizeResult]):
    """Predict the gain of more training data from training on subsets.

    For every size and seed, a model is trained on a stratified subset of the data. The
    subsets of a seed are nested, and its initial weights are the same. All models are
    trained for the same number of updates. A power law fitted to the errors predicts
    the error with twice the data.

    Args:
        build_model: A function without arguments that returns a compiled model; or a
            compiled model, which is cloned with new weights for each seed.
        x: Inputs: an array, tensor, data frame, list or a structure of these; or a data
            set, which is read into memory.
        y: Targets, likewise; None with a data set.
        validation_data: `(x, y)`. Defaults to None: a stratified 30 % of `x` and `y` is
            held out.
        sizes: Shares of the data (up to 1.0) or numbers of samples. Defaults to
            `(0.1, 0.2, 0.4, 0.7, 1.0)`.
        seeds: The number of seeds, or a list of seeds. Defaults to 5.
        budget: `{"epochs": n}` (of all data), `{"updates": n}` or `{"samples": n}`.
            Defaults to 30 epochs.
        batch_size: Samples in an update. Defaults to 32.
        directory: Folder in which finished trials are saved. Defaults to None: they are
            kept in memory only.
        overwrite: Whether to delete trials in `directory`. Defaults to `False`.
        verbose: 0 or 1: whether to show a progress bar.

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
    >>> x = np.random.default_rng(0).normal(size=(60, 2)).astype("float32")
    >>> study = kd.studies.SampleSizeStudy(
    ...     build_model, x, x.sum(axis=1), sizes=(10, 0.5, 1.0), seeds=2, verbose=0
    ... )
    >>> study.run().sizes
    (10, 21, 42)
    """

    def __init__(
        self,
        build_model: Any,
        x: Any,
        y: Any = None,
        *,
        validation_data: Any = None,
        sizes: Sequence[float | int] = (0.1, 0.2, 0.4, 0.7, 1.0),
        seeds: int | Iterable[int] = 5,
        budget: Any = None,
        batch_size: str | int = 32,
        directory: str | os.PathLike[str] | None = None,
        overwrite: bool = False,
        verbose: int = 1,
    ) -> None:
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
        rows = len(self._data.rows)
        given = as_list("sizes", sizes, "[0.1, 0.5, 1.0]")
        self.sizes = tuple(sorted({_size(size, rows) for size in given}))
        if not self.sizes:
            raise ValueError(
                f"There must be at least one size. Received: sizes={sizes!r}"
            )
        budget = {"epochs": 30} if budget is None else budget
        training = Training.of(budget, batch_size, rows)
        self._ask(
            run_sample_size_trial,
            StudyTask(
                self._build_model, self._data.train, self._data.held_out, training
            ),
            self._first_model(),
            training.about(),
        )

    def _arms(self) -> list[dict[str, Any]]:
        return [{"size": size} for size in self.sizes]

    def _result(self, trials: list[TrialResult]) -> SampleSizeResult:
        return SampleSizeResult(trials, about=self._about)


def run_sample_size_trial(
    settings: Mapping[str, Any], task: StudyTask
) -> dict[str, Any]:
    """Train on a part of the data, and score."""
    seed, size = int(settings["seed"]), int(settings["size"])
    rows = stratified_order(task.data[1], seed)[:size]
    # Of one order per seed, so that a larger sample holds the smaller ones; and sorted,
    # since data on disk are read in order.
    part = take(task.data, np.sort(rows))
    model = build_seeded(task.build_model, seed)
    values: dict[str, Any] = {"initial_weights": weights_digest(model)}
    values["updates"] = fit(model, part, task.training, seed).updates
    values.update(score(model, part, "train"))
    values.update(score(model, task.validation_data, "val"))
    return values


def _size(size: float, rows: int) -> int:
    whole = isinstance(size, (int, np.integer)) and not isinstance(size, bool)
    if whole and 1 <= size <= rows:
        return int(size)
    if isinstance(size, float) and 0 < size <= 1:
        return max(1, round(size * rows))
    raise ValueError(
        "`sizes` must be shares up to 1.0 or whole numbers of samples, at most "
        f"{rows}. Received: {size!r}"
    )
