"""A few rows on which a model is looked at, now and then, while it is trained."""

from __future__ import annotations

import math
import warnings
from dataclasses import replace
from typing import Any

import keras
import numpy as np

from keras_dlbasic._keras.penalized import penalized_weights
from keras_dlbasic.analysis.activations.statistics import MEASURES as ACTIVATIONS
from keras_dlbasic.analysis.evenly import evenly
from keras_dlbasic.analysis.scoring import TaskKind, skill
from keras_dlbasic.diagnosis.loss_kind import LossKind
from keras_dlbasic.inspection.baseline import (
    as_columns,
    best_constant,
    rewards_the_truth,
    sample_losses,
)
from keras_dlbasic.inspection.reference_scores import reference_scores
from keras_dlbasic.propagation.layer_activations import layer_activations
from keras_dlbasic.records import ProbeFacts, TrainingRecord
from keras_dlbasic.records.table_row import append_row

MEASURES = (
    "loss",
    "loss_error",
    "skill",
    "spread",
    "commonest",
    "penalty",
    "non_finite",
)
"""What is said of the predictions."""

ROWS = 256

MOST_INPUTS, MOST_OUTPUTS = 2**22, 2**24
"""Fewer rows are used where inputs or outputs would have more entries."""


class Probe:
    """Rows of the training data, and what a model makes of them.

    The model runs outside the compiled step with dropout off, and with batch
    normalisation on the probe's own statistics, as in training; nothing of it changes.

    Args:
        x: Inputs, as for `model.predict`.
        y: Targets or None.
        loss: What the model was compiled with.
        loss_facts: The same as `RunFacts.loss` has it.
        rows: Up to so many rows are used, evenly chosen.
        outputs_shape: Shape of the model's outputs, as far as it is known.
        task: What the predictions are. Defaults to None: as the loss alone tells.
    """

    def __init__(
        self,
        x: Any,
        y: Any,
        loss: Any,
        loss_facts: Any,
        rows: int = ROWS,
        outputs_shape: Any = None,
        *,
        task: TaskKind | None = None,
    ) -> None:
        arrays = [np.asarray(leaf) for leaf in keras.tree.flatten(x)]
        rows = _affordable(rows, arrays, outputs_shape)
        chosen = evenly(len(arrays[0]), rows)
        self.x = keras.tree.pack_sequence_as(x, [_floats(a[chosen]) for a in arrays])
        self.inputs = keras.tree.flatten(self.x)
        self.n_rows = len(chosen)
        self.loss = loss
        self.kind = LossKind.of(loss_facts)
        answers = [leaf for leaf in keras.tree.flatten(y) if leaf is not None]
        self.y = np.asarray(answers[0])[chosen] if len(answers) == 1 else None
        self._losses: np.ndarray | None = None
        self._task = TaskKind.of(self.kind.family) if task is None else task

    def facts(self, outputs_shape: tuple[int, ...] | None) -> ProbeFacts:
        """Return what simple predictors reach."""
        facts = ProbeFacts(rows=self.n_rows)
        if self.y is None or outputs_shape is None:
            return facts
        shape = (self.n_rows, *outputs_shape[1:])
        if any(n is None for n in shape) or isinstance(self.loss, (dict, list, tuple)):
            return facts
        facts = self._with_baseline(facts, self.y, shape)
        known = skill(self.y, np.zeros(shape), self._task)
        columns = as_columns(self.y, shape)
        has_rows = columns is not None and len(columns) == self.n_rows
        references: dict[str, float] = {}
        if has_rows and len(self.inputs) == 1 and not known.reason:
            assert columns is not None
            references = reference_scores(self.inputs[0], columns, known.task)
        return replace(
            facts,
            scored_as=str(known.task),
            no_skill=known.reason,
            references=references,
        )

    def _with_baseline(
        self, facts: ProbeFacts, y: np.ndarray, shape: tuple[int, ...]
    ) -> ProbeFacts:
        """Add the loss of the best constant answer, if that means something."""
        try:
            losses = best_constant(self.loss, y, shape)
            if not self._task.is_known and np.isfinite(losses).all():
                args = (self.loss, y, shape, losses)
                losses = losses if rewards_the_truth(*args) else np.full(1, np.nan)
        except Exception as error:  # a user's loss; targets that do not fit
            failed = f"{type(error).__name__}: {error}"[:200]
            return replace(facts, baseline_failed=failed)
        if not np.isfinite(losses).all():
            return facts
        self._losses = losses
        return replace(facts, baseline_loss=float(losses.mean()))

    def look(self, model: Any, record: TrainingRecord, step: int, epoch: int) -> bool:
        """Run the model and write what it gives to `record`.

        `record.tables` gets a row of `"probe"`, about the predictions, and one of
        `"activations"`, about the layers.

        Args:
            model: The model.
            record: The record, with the facts of the probe.
            step: Number of steps trained so far.
            epoch: Number of the epoch, -1 before the first.

        Returns:
            Whether it ran; if not, the record's facts of the probe say why.
        """
        try:
            said, layers = self._measure(model)
        except Exception as error:  # wrong inputs; a model that runs in `fit` only
            known = record.facts.probe or ProbeFacts()
            failed = f"{type(error).__name__}: {error}"[:300]
            record.note(probe=replace(known, failed=failed))
            return False
        tables = record.tables
        append_row(tables, "probe", MEASURES, step, epoch, {"model": said})
        append_row(tables, "activations", ACTIVATIONS, step, epoch, layers)
        return True

    def _measure(
        self, model: Any
    ) -> tuple[dict[str, float], dict[str, dict[str, float]]]:
        """Return what is said of the predictions, and of each layer by its label."""
        with warnings.catch_warnings(action="ignore"):  # Keras warns as it runs `fit`
            outputs, layers = layer_activations(model, self.x)
        said = self._judge(outputs[0]) if len(outputs) == 1 else {}
        penalties = penalized_weights(model)
        said["penalty"] = float(sum(weight.penalty() for weight in penalties))
        return said, layers

    def _judge(self, outputs: Any) -> dict[str, float]:
        predicted = np.asarray(keras.ops.convert_to_numpy(outputs), np.float64)
        said = {"non_finite": float(np.mean(~np.isfinite(predicted)))}
        width = predicted.shape[-1] if predicted.ndim > 1 else 1
        columns = predicted.reshape(-1, width)
        with np.errstate(over="ignore", invalid="ignore"):
            said["spread"] = float(np.sqrt(np.mean(columns.var(axis=0))))
        if said["non_finite"] or self.y is None:
            return said
        if self._losses is not None:
            losses = sample_losses(self.loss, self.y, outputs)
            gain = losses - self._losses
            said["loss"] = float(losses.mean())
            said["loss_error"] = float(gain.std() / math.sqrt(len(gain)))
        if len(predicted) == len(self.y):
            at_zero = self.kind.decides_at_zero
            found = skill(self.y, predicted, self._task, from_logits=at_zero)
            said["skill"] = found.value
            if found.task is TaskKind.CLASSES:
                counts = np.bincount(columns.argmax(axis=1))
                said["commonest"] = float(counts.max() / len(columns))
        return said


def _affordable(rows: int, arrays: list[np.ndarray], outputs_shape: Any) -> int:
    inputs = sum(math.prod(array.shape[1:]) for array in arrays)
    sizes = [n for n in keras.tree.flatten(outputs_shape) if isinstance(n, int)]
    outputs = math.prod(sizes) if sizes else 1
    most = min(MOST_INPUTS // max(1, inputs), MOST_OUTPUTS // max(1, outputs))
    return min(rows, max(16, most))


def _floats(array: np.ndarray) -> np.ndarray:
    return array.astype(keras.config.floatx()) if array.dtype.kind == "f" else array
