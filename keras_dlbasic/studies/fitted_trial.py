"""What the trials of most studies do: fit for a number of updates, and score."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from keras_dlbasic._trials.batch_sizes import count_rows, named_batch_size
from keras_dlbasic._trials.budget import Budget
from keras_dlbasic._trials.finite_weights import has_finite_weights
from keras_dlbasic._trials.stored_batches import take
from keras_dlbasic._trials.watch import TrialWatch
from keras_dlbasic._trials.worker import DivergedError
from keras_dlbasic.analysis.row_scores import RowScores, row_scores
from keras_dlbasic.inspection.output_tasks import output_tasks
from keras_dlbasic.studies.batch_size.trial import warm_up, warm_up_batches

AT_ONCE = 512


@dataclass(frozen=True)
class Training:
    """How long and in which batches every trial of a study trains.

    Attributes:
        updates: How many updates.
        batch_size: Samples in one.
    """

    updates: int
    batch_size: int

    @classmethod
    def of(cls, budget: Any, batch_size: str | int, rows: int) -> Training:
        """Read a budget; the same number of updates is meant for all trials.

        Raises:
            ValueError: If the budget is none, or in seconds.
        """
        size = named_batch_size(batch_size, rows)
        updates = Budget.of(budget).updates(size, rows)
        if updates is None:
            raise ValueError(
                "`budget` must be in epochs, updates or samples, so that all trials "
                f"train alike. Received: budget={budget!r}"
            )
        return cls(updates, size)

    def about(self) -> dict[str, Any]:
        """Return it as part of what tells one study from another."""
        return {"updates": self.updates, "batch_size": self.batch_size}

    def batch_for(self, rows: int) -> int:
        """Return the batch size for a set that may be smaller."""
        return min(self.batch_size, rows)

    def epochs(self, rows: int) -> int:
        """Return how many epochs of this many rows the updates make."""
        return -(-self.updates // -(-rows // self.batch_for(rows)))


@dataclass(frozen=True)
class StudyTask:
    """What all trials of a study share."""

    build_model: Callable[..., Any]
    data: tuple[Any, Any]
    validation_data: tuple[Any, Any]
    training: Training


def fit(
    model: Any,
    data: Any,
    training: Training,
    seed: int,
    *,
    updates: int | None = None,
    validation_data: Any = None,
    callbacks: Sequence[Any] = (),
    timed: bool = False,
) -> TrialWatch:
    """Fit a model for the updates of a training.

    Args:
        model: A compiled model.
        data: `(x, y)`, or a `PyDataset`.
        training: How long, and the batch size.
        seed: Fixes the order.
        updates: Defaults to None: those of `training`.
        validation_data: As for `fit`.
        callbacks: More callbacks.
        timed: Whether to compile outside the clock. Defaults to `False`.

    Returns:
        The watch, with `updates` and `seconds`.

    Raises:
        DivergedError: If weights became non-finite.
    """
    updates = training.updates if updates is None else updates
    watch = TrialWatch(lambda number: False, lambda *given: True, updates=updates)
    arguments: dict[str, Any]
    if isinstance(data, keras.utils.PyDataset):
        arguments = {"x": data, "shuffle": False}
        steps = len(data)
        if timed:
            warm_up_batches(model, data)
    else:
        rows = count_rows(data)
        batch = training.batch_for(rows)
        arguments = {"x": data[0], "y": data[1], "batch_size": batch}
        steps = -(-rows // batch)
        if timed:
            warm_up(model, data, batch, rows)
    # Building and warming up have drawn from the generators, by different amounts in
    # each arm. From here on all arms see the batches in the same order.
    keras.utils.set_random_seed(seed)
    model.fit(
        **arguments,
        epochs=-(-updates // steps),
        validation_data=validation_data,
        callbacks=[watch, *callbacks],
        verbose=0,
    )
    if not has_finite_weights(model):
        raise DivergedError(
            f"weights are not finite after {watch.updates} updates",
            {"updates": watch.updates},
        )
    return watch


def score_rows(model: Any, data: tuple[Any, Any]) -> RowScores:
    """Return errors and losses of each row, in inference mode.

    Several outputs count alike. Nothing is drawn from random generators.
    """
    x, y = data
    rows = count_rows(x)
    parts = []
    # In pieces: data may be on disk, and outputs larger than the data.
    for begin in range(0, rows, AT_ONCE):
        batch = take(x, np.arange(begin, min(begin + AT_ONCE, rows)))
        outputs = keras.tree.flatten(model.predict_on_batch(batch))
        parts.append([np.asarray(output) for output in outputs])
    outputs = [np.concatenate(part) for part in zip(*parts, strict=True)]
    targets = keras.tree.flatten(y)
    tasks = output_tasks(model, len(outputs))
    found = [
        row_scores(t, p, from_logits=how.from_logits, task=how.task)
        for t, p, how in zip(targets, outputs, tasks, strict=True)
    ]
    return RowScores(
        found[0].kind,
        np.mean([f.errors for f in found], axis=0),
        np.mean([f.losses for f in found], axis=0),
        np.mean([f.brier for f in found], axis=0),
        float(np.mean([f.skill for f in found])),
    )


def score(model: Any, data: tuple[Any, Any], prefix: str) -> dict[str, float]:
    """Return mean error, mean loss and skill, named `{prefix}_error` and so on."""
    found = score_rows(model, data)
    return {
        f"{prefix}_error": float(found.errors.mean()),
        f"{prefix}_loss": float(found.losses.mean()),
        f"{prefix}_skill": found.skill,
    }
