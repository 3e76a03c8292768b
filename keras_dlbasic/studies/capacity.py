"""Error against the size of the model: width or depth."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import keras
import numpy as np

from keras_dlbasic._trials.builder import builder_of
from keras_dlbasic._trials.seeded_model import build_seeded
from keras_dlbasic._trials.stored_batches import take
from keras_dlbasic.analysis.experiments.capacity_result import CapacityResult
from keras_dlbasic.inspection.capacity_report import capacity_report
from keras_dlbasic.records import TrialResult
from keras_dlbasic.remedies import resize
from keras_dlbasic.studies.base import Study
from keras_dlbasic.studies.fitted_trial import (
    StudyTask,
    Training,
    fit,
    score,
    score_rows,
)


class CapacityStudy(Study[CapacityResult]):
    """Measure the effect of the size of a model, by width or depth.

    For every size and seed, `build_model(size)` is trained for the same number of
    updates. The result is the training and held-out error by number of parameters. It
    shows which sizes are too small, from which size on the model fits all training data
    (double descent happens near it), and whether larger or deeper models do worse.

    Args:
        build_model: A function that takes a size and returns a compiled model; or a
            compiled model, whose widths are multiplied by the sizes
            (`remedies.resize`).
        x: Inputs: an array, tensor, data frame, list or a structure of these; or a data
            set, which is read into memory.
        y: Targets, likewise; None with a data set.
        sizes: Numbers, such as widths or numbers of hidden layers.
        by: What the sizes are, for tables and plots: `"width"` (default) or `"depth"`.
            `"depth"` requires that `build_model` is a function.
        validation_data: `(x, y)`. Defaults to None: a stratified 30 % of `x` and `y` is
            held out.
        seeds: The number of seeds, or a list of seeds. Defaults to 5.
        budget: `{"epochs": n}`, `{"updates": n}` or `{"samples": n}`. Defaults to 50
            epochs.
        batch_size: Samples in an update. Defaults to 32.
        directory: Folder in which finished trials are saved. Defaults to None: they are
            kept in memory only.
        overwrite: Whether to delete trials in `directory`. Defaults to `False`.
        verbose: 0 or 1: whether to show a progress bar.

    Raises:
        ValueError: If an argument is not one of the above.
        TypeError: If `build_model(size)` is not a compiled model.

    Example:
    >>> import keras, numpy as np
    >>> import keras_dlbasic as kd
    >>> def build_model(width):
    ...     layers = [keras.layers.Dense(width, "relu"), keras.layers.Dense(1)]
    ...     model = keras.Sequential([keras.Input((2,)), *layers])
    ...     model.compile(optimizer="sgd", loss="mse")
    ...     return model
    >>> x = np.random.default_rng(0).normal(size=(40, 2)).astype("float32")
    >>> study = kd.studies.CapacityStudy(
    ...     build_model, x, x.sum(axis=1), sizes=(2, 4), seeds=2,
    ...     budget={"updates": 4}, verbose=0
    ... )
    >>> study.run().parameters
    {2.0: 9, 4.0: 17}
    """

    def __init__(
        self,
        build_model: Any,
        x: Any,
        y: Any = None,
        *,
        sizes: Sequence[float],
        by: str = "width",
        validation_data: Any = None,
        seeds: int | Iterable[int] = 5,
        budget: Any = None,
        batch_size: str | int = 32,
        directory: str | os.PathLike[str] | None = None,
        overwrite: bool = False,
        verbose: int = 1,
    ) -> None:
        if by != "width" and isinstance(build_model, keras.Model):
            raise ValueError(
                "Of a model only the widths can be multiplied. Received: "
                f"by={by!r} and the model '{build_model.name}'. Give a function "
                "`build_model(size)` that returns a compiled model of each size, or "
                'use `by="width"`.'
            )
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
        self.sizes = tuple(dict.fromkeys(_number(size) for size in sizes))
        if not self.sizes:
            raise ValueError(
                f"There must be at least one size. Received: sizes={sizes!r}"
            )
        budget = {"epochs": 50} if budget is None else budget
        data = self._data
        training = Training.of(budget, batch_size, len(data.rows))
        model = self._first_model(self.sizes[0])
        self._ask(
            run_capacity_trial,
            StudyTask(self._build_model, data.train, data.held_out, training),
            model,
            {**training.about(), "by": by, "outputs": _outputs(model, data.train)},
        )

    def _builder(self, model: Any, x: Any) -> Callable[..., Any]:
        if isinstance(model, keras.Model):
            make = builder_of(model, x=x)
            return lambda size: _resized(make(), float(size))
        return builder_of(model, 1)

    def _arms(self) -> list[dict[str, Any]]:
        return [{"size": size} for size in self.sizes]

    def _result(self, trials: list[TrialResult]) -> CapacityResult:
        return CapacityResult(trials, about=self._about)


def run_capacity_trial(settings: Mapping[str, Any], task: StudyTask) -> dict[str, Any]:
    """Train a model of one size, and score."""
    seed = int(settings["seed"])
    model = build_seeded(task.build_model, seed, settings["size"])
    report = capacity_report(model, task.data[0])
    fit(model, task.data, task.training, seed)
    values: dict[str, Any] = {
        "parameters": report.parameters,
        "parameters_per_sample": report.parameters_per_sample,
        "depth": float("nan") if report.depth is None else report.depth,
        "kind": score_rows(model, task.validation_data).kind,
    }
    values.update(score(model, task.data, "train"))
    values.update(score(model, task.validation_data, "val"))
    return values


def _resized(model: Any, factor: float) -> Any:
    try:
        return resize(model, factor)
    except ValueError as error:
        raise ValueError(
            f"{error} Or give a function `build_model(size)` that returns a compiled "
            "model of each size."
        ) from error


def _number(size: Any) -> float | int:
    if isinstance(size, (bool, np.bool_)) or not isinstance(
        size, (int, float, np.integer, np.floating)
    ):
        raise ValueError(f"`sizes` must be numbers. Received: {size!r}")
    whole = float(size).is_integer()
    return int(size) if whole else float(size)


def _outputs(model: Any, data: tuple[Any, Any]) -> int:
    """Return how many numbers the model gives for a sample."""
    one = model.predict_on_batch(take(data[0], np.arange(1)))
    return int(sum(np.size(leaf) for leaf in keras.tree.flatten(one)))
