"""One trial of a remedy: the treated model, trained and scored."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np

from keras_dlbasic._trials.batch_sizes import count_rows, map_leaves
from keras_dlbasic._trials.seeded_model import build_seeded, weights_digest
from keras_dlbasic._trials.stored_batches import take
from keras_dlbasic._trials.stratified import split
from keras_dlbasic.ensembles.ensemble import Ensemble
from keras_dlbasic.studies.fitted_trial import Training, fit, score, score_rows
from keras_dlbasic.studies.remedies.arms import UNTREATED, Arm, augmented, treated

STOPPING_SHARE = 0.2
MEMBER_STEP = 100_003
"""Between the seeds of the members of an ensemble; a prime, so that they differ."""

TIMED_ROWS = 256
TIMED_CALLS = 7


@dataclass(frozen=True)
class RemedyTask:
    """What all trials of a study of remedies share."""

    build_model: Callable[[], Any]
    data: tuple[Any, Any]
    validation_data: tuple[Any, Any]
    more_data: tuple[Any, Any] | None
    training: Training
    augmentation: Any = None
    own: Mapping[str, Callable[[Any], Any]] = field(default_factory=dict)


def run_remedy_trial(settings: Mapping[str, Any], task: RemedyTask) -> dict[str, Any]:
    """Train with one remedy from the weights of one seed, and measure."""
    arm = Arm(settings["remedy"], settings["strength"])
    seed = int(settings["seed"])
    started = build_seeded(task.build_model, seed)
    values: dict[str, Any] = {"initial_weights": weights_digest(started)}
    seconds: list[float] = []
    if arm.family == "ensemble":
        model = _ensemble(task, seed, int(arm.strength or 1), seconds)
    elif arm.family == "early stopping":
        model, values["epochs"] = _stopped(task, seed, seconds)
    else:
        model = _trained(task, arm, seed, seconds)
    values.update(score(model, task.data, "train"))
    held_out = score_rows(model, task.validation_data)
    if arm.family == "ensemble":
        values.update(_of_members(model, task.validation_data))
    values.update(
        val_error=float(held_out.errors.mean()),
        val_loss=float(held_out.losses.mean()),
        row_errors=np.round(held_out.errors, 6),
        row_brier=np.round(held_out.brier, 6),
        kind=held_out.kind,
        training_seconds=float(sum(seconds)),
        inference_seconds=_inference_seconds(model, task.validation_data[0]),
        parameters=int(model.count_params()),
    )
    return values


def _trained(task: RemedyTask, arm: Arm, seed: int, seconds: list[float]) -> Any:
    model = treated(build_seeded(task.build_model, seed), arm, seed)
    data: Any = task.data
    if arm.family in task.own:
        model = task.own[arm.family](model)
    elif arm.family == "more data":
        assert task.more_data is not None
        data = _joined(task.data, task.more_data)
    elif arm.family == "augmentation":
        batch = task.training.batch_for(count_rows(data))
        model, data = augmented(model, data, arm, seed, batch, task.augmentation)
    seconds.append(fit(model, data, task.training, seed, timed=True).seconds)
    return model


def _ensemble(task: RemedyTask, seed: int, n: int, seconds: list[float]) -> Ensemble:
    # the first member is the untreated model of this seed
    seeds = [seed + member * MEMBER_STEP for member in range(n)]
    return Ensemble([_trained(task, Arm(UNTREATED), s, seconds) for s in seeds])


def _of_members(ensemble: Ensemble, data: tuple[Any, Any]) -> dict[str, Any]:
    """Return what its members score alone: each is an untreated model."""
    scores = [score_rows(member, data) for member in ensemble.members]
    return {
        "untreated_row_errors": np.round(np.mean([s.errors for s in scores], 0), 6),
        "untreated_row_brier": np.round(np.mean([s.brier for s in scores], 0), 6),
    }


def _stopped(task: RemedyTask, seed: int, seconds: list[float]) -> tuple[Any, int]:
    """Find the best epoch on a part held back, then train on all for as long.

    Algorithm 7.2 of Goodfellow, Bengio & Courville (2016), Deep learning. The held-out
    data, which arms are compared on, are not looked at.
    """
    # The part held back finds the number of epochs, and would be missing from training.
    # So a new model is trained on all rows for as many epochs.
    kept, held_back = split(task.data[1], STOPPING_SHARE, seed)
    part = take(task.data, kept)
    epochs = task.training.epochs(len(kept))
    stopping = keras.callbacks.EarlyStopping(patience=max(5, round(0.1 * epochs)))
    model = build_seeded(task.build_model, seed)
    watch = fit(
        model,
        part,
        task.training,
        seed,
        validation_data=take(task.data, held_back),
        callbacks=[stopping],
        timed=True,
    )
    seconds.append(watch.seconds)
    best = int(stopping.best_epoch) + 1
    model = build_seeded(task.build_model, seed)
    rows = count_rows(task.data)
    updates = best * -(-rows // task.training.batch_for(rows))
    updates = min(updates, task.training.updates)
    watch = fit(model, task.data, task.training, seed, updates=updates, timed=True)
    seconds.append(watch.seconds)
    return model, best


def _inference_seconds(model: Any, x: Any) -> float:
    """Return the time of a compiled prediction of a batch, the median of some."""
    batch = take(x, np.arange(min(count_rows(x), TIMED_ROWS)))
    # The first call compiles the prediction, which is not timed.
    model.predict_on_batch(batch)
    times = []
    for _ in range(TIMED_CALLS):
        begin = time.perf_counter()
        model.predict_on_batch(batch)
        times.append(time.perf_counter() - begin)
    return float(np.median(times))


def _joined(data: Any, more: Any) -> Any:
    flat = iter(keras.tree.flatten(more))
    return map_leaves(
        lambda leaf: np.concatenate([np.asarray(leaf), np.asarray(next(flat))]), data
    )
