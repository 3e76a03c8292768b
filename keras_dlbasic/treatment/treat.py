"""Diagnose, apply a remedy, keep it if it helped, go on."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import keras

from keras_dlbasic._arguments import check_whole, is_number, shown
from keras_dlbasic._data.built import built_from
from keras_dlbasic._data.fits import check_fits
from keras_dlbasic._data.read import read, read_validation
from keras_dlbasic._keras.checks import check_compiled
from keras_dlbasic._trials.builder import builder_of
from keras_dlbasic._trials.one_device import refuse_several_devices
from keras_dlbasic._trials.seeded import seeded
from keras_dlbasic._trials.seeded_model import data_digest, model_digest
from keras_dlbasic._wrong_arguments import names_nearest
from keras_dlbasic.diagnosis import Rule
from keras_dlbasic.diagnosis.registry import checked_rules
from keras_dlbasic.inspection.output_tasks import output_tasks
from keras_dlbasic.studies import TrialRunner
from keras_dlbasic.treatment.course import Course
from keras_dlbasic.treatment.plan import Plan
from keras_dlbasic.treatment.treatment import Treatment
from keras_dlbasic.treatment.trial import TreatmentTask, run_treatment_trial


@names_nearest
@seeded(0)
def treat(
    model: Any,
    x: Any,
    y: Any = None,
    *,
    epochs: int,
    batch_size: int = 32,
    validation_data: Any = None,
    budget: float = 2.0,
    seeds: int = 2,
    directory: str | os.PathLike[str] | None = None,
    overwrite: bool = False,
    verbose: int = 1,
    rules: Iterable[Rule] | None = None,
) -> Treatment:
    """Find out what is wrong with a model, fix it, and train it.

    The untreated model is diagnosed before training and in a short trial. Then the
    remedies of the findings are tried one at a time, causes first. Each runs in a short
    trial that is compared with the same trial without the remedy. A remedy is kept only
    if the skill (`analysis.skill`, on the validation data if there are any) increased
    by more than its noise over the seeds, or if its finding disappeared without loss of
    skill. When there are no more findings, or the budget is used up, the model is
    trained for `epochs`. Findings that appear only then are treated if the budget
    allows at least half of a further training. If that model has more skill, it is
    returned, and `history` has its number of epochs.

    Args:
        model: A compiled Sequential or Functional model, or a function without
            arguments that returns one. Copies of the model are trained, starting from
            its weights. The model itself is not changed, but built from `x` if it has
            no weights yet.
        x: Training inputs: arrays, tensors, data frames, lists or structures of these;
            or a data set of batches with targets, which is read into memory.
        y: Training targets, likewise; None with a data set.
        epochs: Number of epochs of the final training.
        batch_size: Samples in an update. Defaults to 32.
        validation_data: `(x, y)` or a data set, on which models are compared. Defaults
            to None: the training data.
        budget: Maximum cost of all trials and trainings, as a multiple of a training
            for `epochs`. Defaults to 2.0. The final training always runs.
        seeds: Maximum number of seeds per trial; more than one is used if the first
            does not decide. Defaults to 2.
        directory: Folder in which finished trials are saved, so that an interrupted
            treatment can continue. Defaults to None: they are kept in memory only.
        overwrite: Whether to delete the trials in `directory`. Defaults to `False`.
        verbose: 0: silent; 1 (default): prints each remedy that is tried.
        rules: The rules to apply, as for `diagnose`. Defaults to None: all.

    Returns:
        A `Treatment`.

    Raises:
        TypeError: If `model` is neither a model nor such a function.
        ValueError: If a number is out of range, the data do not fit each other or the
            model or hold sample weights, or the model is not compiled, cannot be
            copied, or is distributed over several devices.

    Example:
    >>> import keras, numpy as np
    >>> import keras_dlbasic as kd
    >>> x = np.random.default_rng(0).normal(size=(128, 4)).astype("float32")
    >>> y = (x[:, 0] > 0).astype("float32")
    >>> layers = [keras.layers.Dense(8, "relu"), keras.layers.Dense(1, "softmax")]
    >>> model = keras.Sequential([keras.Input((4,)), *layers])
    >>> model.compile(optimizer="adam", loss="binary_crossentropy")
    >>> result = kd.treat(model, x, y, epochs=30, verbose=0)
    >>> result.history[0].finding, result.history[0].kept
    ('output_activation_mismatch', True)
    """
    _check_numbers(epochs, batch_size, seeds, budget)
    is_model = isinstance(model, keras.Model)
    if is_model:
        check_compiled(model)
    else:
        model = builder_of(model, name="model")
    known = model if is_model else None
    found = read(x, y, model=known, needs_y=True, takes_weights=False)
    x, y = found.x, found.y
    validation_data = read_validation(validation_data, model=known, takes_weights=False)
    if is_model:
        built_from(model, x)
    chosen = None if rules is None else checked_rules(rules)
    task = TreatmentTask(model, (x, y), validation_data, rules=chosen)
    untreated = task.build(0)
    check_compiled(untreated)
    check_fits(untreated, x)
    outputs = output_tasks(untreated, len(keras.tree.flatten(y)))
    task = replace(task, tasks=tuple(output.task for output in outputs))
    given = model if isinstance(model, keras.Model) else untreated
    refuse_several_devices(given, "`treat`")
    runner = TrialRunner(
        run_treatment_trial,
        task,
        about=_about(task, untreated),
        directory=directory,
        overwrite=overwrite,
        verbose=0,
    )
    plan = Plan(int(epochs), int(batch_size))
    return Course(task, runner, plan, float(budget), int(seeds), verbose).run()


def _check_numbers(epochs: Any, batch_size: Any, seeds: Any, budget: Any) -> None:
    for name, value in (
        ("epochs", epochs),
        ("batch_size", batch_size),
        ("seeds", seeds),
    ):
        check_whole(name, value)
    if not is_number(budget) or not 1 <= budget < math.inf:
        raise ValueError(
            "`budget` must be a finite number of at least 1, as a multiple of the "
            f"training. Received: budget={shown(budget)}"
        )


def _about(task: TreatmentTask, untreated: Any) -> dict[str, Any]:
    """Return what trials in a directory must have in common to belong together."""
    x, y = task.data
    about: dict[str, Any] = {
        "what": "treatment",
        "model": model_digest(untreated),
        "data": data_digest(x, y, task.validation_data),
        "backend": keras.backend.backend(),
    }
    if task.rules is not None:
        about["rules"] = [rule.name for rule in task.rules]
    return about
