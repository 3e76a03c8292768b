"""One training with a plan, scored and diagnosed."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from keras_dlbasic._keras.rebuild import rebuild
from keras_dlbasic._trials.seeded_model import build_seeded
from keras_dlbasic._trials.stored_batches import sample
from keras_dlbasic.analysis.scoring import TaskKind, skill
from keras_dlbasic.callbacks import TrainingDoctor
from keras_dlbasic.diagnosis import Rule
from keras_dlbasic.inspection.output_tasks import output_tasks
from keras_dlbasic.records.json_text import json_text
from keras_dlbasic.treatment.plan import Plan

SCORED_ROWS, LOSS_ROWS = 2048, 512


@dataclass(frozen=True)
class TreatmentTask:
    """What all trials of a treatment share.

    Attributes:
        model: The untreated model, or a function that returns one.
        data: `(x, y)`.
        validation_data: `(x, y)`, or None.
        tasks: What the outputs are scored as. Defaults to none: as each trial's model
            says.
    """

    model: Any
    data: tuple[Any, Any]
    validation_data: tuple[Any, Any] | None
    tasks: tuple[TaskKind, ...] = ()
    rules: tuple[Rule, ...] | None = None

    def build(self, seed: int) -> Any:
        """Return the untreated model."""
        if isinstance(self.model, keras.Model):
            return rebuild(self.model)
        return build_seeded(self.model, seed)

    def scored(self) -> tuple[Any, Any]:
        """Return the rows on which models are compared."""
        data = self.data if self.validation_data is None else self.validation_data
        return sample(data, SCORED_ROWS)

    def training_loss(self, model: Any) -> float:
        """Return the loss of a model on some training rows."""
        x, y = sample(self.data, LOSS_ROWS)
        found = model.evaluate(x, y, batch_size=LOSS_ROWS, verbose=0, return_dict=True)
        return float(found["loss"])


def run_treatment_trial(
    settings: Mapping[str, Any], task: TreatmentTask
) -> dict[str, Any]:
    """Train for some epochs, as `TrialRunner` wants it."""
    plan = plan_from_json(settings["plan"])
    _, values = train(plan, task, int(settings["seed"]), int(settings["epochs"]))
    return values


def train(
    plan: Plan, task: TreatmentTask, seed: int, epochs: int, *, whole: bool = False
) -> tuple[Any, dict[str, Any]]:
    """Train a treated model.

    Args:
        plan: How.
        task: What.
        seed: Fixes weights and order.
        epochs: How many.
        whole: Whether this is the training that counts, with early stopping.

    Returns:
        The model, and what was measured: `score`, `fall` (of the training loss from
        the first epoch to the last, relative), `first_loss` and `last_loss` (on
        training rows, before the first update and after the last), `epochs` (that were
        run) and `diagnosis` (JSON).
    """
    model = plan.apply(task.build(seed), *task.data, seed)
    doctor = TrainingDoctor(
        *task.data,
        validation_data=task.validation_data,
        stop_on=None if whole else "critical",
        verbose=0,
        rules=task.rules,
    )
    callbacks = [doctor]
    if whole and plan.early_stopping and task.validation_data is not None:
        callbacks.append(
            keras.callbacks.EarlyStopping(
                patience=plan.patience, restore_best_weights=True
            )
        )
    # Remedies that draw, or that run the model on rows, have moved the generators by
    # different amounts. Seeding here has all arms see the batches in the same order, so
    # that what differs between them is the remedy.
    before = task.training_loss(model)
    keras.utils.set_random_seed(seed)
    history = model.fit(
        *task.data,
        validation_data=task.validation_data,
        batch_size=plan.batch_size,
        epochs=epochs,
        verbose=0,
        callbacks=callbacks,
    )
    losses = history.history["loss"]
    values = {
        "score": _score(model, task.scored(), task.tasks),
        "fall": _fall(float(losses[0]), float(losses[-1])),
        "first_loss": before,
        "last_loss": task.training_loss(model),
        "epochs": len(history.epoch),
        "diagnosis": json_text(doctor.diagnosis.to_dict(), keep_non_finite=True),
    }
    return model, values


def plan_to_json(plan: Plan) -> str:
    """Return a plan as text.

    Raises:
        TypeError: If an argument of a remedy has no form in JSON.
    """
    return json_text(vars(plan), other=_refuse, keep_non_finite=True, sort_keys=True)


def _refuse(value: Any) -> Any:
    raise TypeError(
        "Arguments of remedies must be numbers, texts, or lists and dicts of them. "
        f"Received: {value!r} of type {type(value).__name__}"
    )


def plan_from_json(text: str) -> Plan:
    """Read what `plan_to_json` wrote."""
    entry = json.loads(text)
    steps = tuple((name, kwargs) for name, kwargs in entry.pop("steps"))
    return Plan(steps=steps, **entry)


def _fall(before: float, after: float) -> float:
    """Return the relative fall of a loss; 0 if it did not start above zero."""
    return 1.0 - after / before if before > 0 else 0.0


def _score(model: Any, data: tuple[Any, Any], tasks: Sequence[TaskKind]) -> float:
    """Return the mean skill over the outputs; -1 if predictions are not finite.

    NaN stands for a task that is not known.
    """
    x, y = data
    outputs = [
        keras.ops.convert_to_numpy(output)
        for output in keras.tree.flatten(model.predict(x, batch_size=512, verbose=0))
    ]
    if not all(np.isfinite(output).all() for output in outputs):
        return -1.0
    targets = [keras.ops.convert_to_numpy(leaf) for leaf in keras.tree.flatten(y)]
    how = output_tasks(model, len(outputs))
    # The task is that of the untreated model: a remedy that changes the loss must not
    # change what it is judged by.
    tasks = tasks or [one.task for one in how]
    skills = [
        skill(t, p, task, from_logits=one.from_logits).value
        for t, p, task, one in zip(targets, outputs, tasks, how, strict=True)
    ]
    return float(np.mean(skills))
