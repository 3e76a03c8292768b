"""Full-batch, mini-batch and one sample per update, on the user's own model."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import Any

from keras_dlbasic._arguments import as_list
from keras_dlbasic._keras.graph import all_layers
from keras_dlbasic._keras.layer_kinds import kind_of
from keras_dlbasic._trials.batch_sizes import named_batch_size
from keras_dlbasic._trials.budget import Budget
from keras_dlbasic.analysis import BatchSizeResult
from keras_dlbasic.records import TrialResult
from keras_dlbasic.studies.base import Study
from keras_dlbasic.studies.batch_size.trial import (
    SCALING,
    BatchSizeTask,
    run_batch_size_trial,
    scale_learning_rate,
)


class BatchSizeStudy(Study[BatchSizeResult]):
    """Measure the effect of the batch size, and recommend one.

    For every batch size and seed, a model is trained from the seed's initial weights
    with the ordinary `model.fit(x, y, batch_size=...)`. The study measures the time per
    update, the noise of the updates, the final scores, and the gradient noise scale. It
    also measures how many updates, samples and seconds are needed to reach a target
    loss. Times do not include compilation and measurements. All random generators are
    seeded for each trial; those of Python and NumPy are restored afterwards.

    Args:
        build_model: A function without arguments that returns a compiled model; or a
            compiled model, which is cloned with new weights for each seed.
        x: Inputs: an array, tensor, data frame, list or a structure of these; or a data
            set, which is read into memory.
        y: Targets, likewise; None with a data set.
        validation_data: `(x, y)`. Defaults to None.
        batch_sizes: `"full"`, `"mini"`, `"single"` or numbers. Defaults to `("full",
            256, 32, 1)`. Sizes at or above the number of samples are all the full
            batch, which runs once.
        seeds: The number of seeds, or a list of seeds. Defaults to 3.
        budget: `{"epochs": n}`, `{"updates": n}`, `{"samples": n}` or
            `{"seconds": n}`: how long each trial trains. Defaults to 5 epochs.
        learning_rate_scaling: How the learning rate, which is meant for 32 samples, is
            scaled with the batch size: `"none"` (default), `"linear"` (Goyal et al.
            2017) or `"sqrt"` (Krizhevsky 2014; usual for Adam).
        micro_batch: Maximum number of rows per forward pass for the full batch. If
            there are more rows, `full_batch` accumulates the exact gradient. Defaults
            to None: 256 for data on disk (`numpy.memmap`, HDF5), which are read as
            needed; otherwise all rows at once.
        target_loss: Target training loss. Defaults to None: the initial loss minus 90 %
            of the largest decrease that any trial reached.
        directory: Folder in which finished trials are saved. Defaults to None: they are
            kept in memory only.
        overwrite: Whether to delete trials in `directory`. Defaults to `False`:
            finished trials are not run again.
        verbose: 0 or 1: whether to show a progress bar.

    Raises:
        ValueError: If an argument is none of the above, or `directory` holds another
            study.
        TypeError: If `build_model()` is not a compiled model.

    Example:
    >>> import keras, numpy as np
    >>> import keras_dlbasic as kd
    >>> def build_model():
    ...     model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    ...     model.compile(optimizer="sgd", loss="mse")
    ...     return model
    >>> x = np.random.default_rng(0).normal(size=(40, 2)).astype("float32")
    >>> study = kd.studies.BatchSizeStudy(
    ...     build_model, x, x.sum(axis=1), batch_sizes=("full", 8), seeds=2, verbose=0
    ... )
    >>> result = study.run()
    >>> result.table()["updates"].tolist()
    [5, 5, 25, 25]
    """

    _HOLDS_OUT = False

    def __init__(
        self,
        build_model: Any,
        x: Any,
        y: Any = None,
        *,
        validation_data: Any = None,
        batch_sizes: Sequence[str | int] = ("full", 256, 32, 1),
        seeds: int | Iterable[int] = 3,
        budget: Any = None,
        learning_rate_scaling: str = "none",
        micro_batch: int | None = None,
        target_loss: float | None = None,
        directory: str | os.PathLike[str] | None = None,
        overwrite: bool = False,
        verbose: int = 1,
    ) -> None:
        if learning_rate_scaling not in SCALING:
            raise ValueError(
                f"`learning_rate_scaling` must be one of {tuple(SCALING)}. Received: "
                f"{learning_rate_scaling!r}"
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
        sizes = as_list("batch_sizes", batch_sizes, '["full", 32]')
        data, self.rows = self._data, len(self._data.rows)
        self.batch_sizes = tuple(
            dict.fromkeys(named_batch_size(size, self.rows) for size in sizes)
        )
        if not self.batch_sizes:
            raise ValueError(
                "There must be at least one batch size. Received: "
                f"batch_sizes={batch_sizes!r}"
            )
        self.budget = Budget.of({"epochs": 5} if budget is None else budget)
        self.target_loss = target_loss
        model = self._first_model()
        # On a model that is thrown away: what cannot be scaled is reported before the
        # first trial.
        scale_learning_rate(model.optimizer, learning_rate_scaling, 1)
        self._ask(
            run_batch_size_trial,
            BatchSizeTask(
                self._build_model,
                data.train,
                data.held_out,
                self.budget,
                learning_rate_scaling,
                micro_batch,
            ),
            model,
            {
                "budget": str(self.budget),
                "learning_rate_scaling": learning_rate_scaling,
                "micro_batch": micro_batch,
                "batch_normalization": _normalises_batches(model),
            },
        )

    def _arms(self) -> list[dict[str, Any]]:
        return [{"batch_size": size} for size in self.batch_sizes]

    def _result(self, trials: list[TrialResult]) -> BatchSizeResult:
        return BatchSizeResult(
            trials, rows=self.rows, about=self._about, target_loss=self.target_loss
        )


def _normalises_batches(model: Any) -> bool:
    return any(kind_of(layer).state == "averages" for layer in all_layers(model))
