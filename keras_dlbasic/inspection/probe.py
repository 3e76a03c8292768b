"""A few rows on which a model is looked at, now and then, while it is trained."""

from __future__ import annotations

import math
import warnings
from typing import Any

import keras
import numpy as np

from keras_dlbasic._keras.activations import channel_axis
from keras_dlbasic._keras.penalized import penalized_weights
from keras_dlbasic.analysis.activations.statistics import activation_statistics
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
from keras_dlbasic.propagation.probe import as_array, outputs_and_layers

MEASURES = (
    "loss",
    "loss_error",
    "skill",
    "spread",
    "commonest",
    "penalty",
    "non_finite",
)
"""What `Probe.measure` says of the predictions."""

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
        loss_facts: The same in terms JSON knows, as `run_facts` gives it.
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

    def facts(self, outputs_shape: tuple[int, ...] | None) -> dict[str, Any]:
        """Return what simple predictors reach, in terms JSON knows."""
        facts: dict[str, Any] = {"rows": self.n_rows, "baseline_loss": None}
        if self.y is None or outputs_shape is None:
            return facts
        shape = (self.n_rows, *outputs_shape[1:])
        if any(n is None for n in shape) or isinstance(self.loss, (dict, list, tuple)):
            return facts
        try:
            losses = best_constant(self.loss, self.y, shape)
            if not self._task.is_known and np.isfinite(losses).all():
                args = (self.loss, self.y, shape, losses)
                losses = losses if rewards_the_truth(*args) else np.full(1, np.nan)
        except Exception as error:  # a user's loss; targets that do not fit
            facts["baseline_failed"] = f"{type(error).__name__}: {error}"[:200]
            losses = np.full(1, np.nan)
        if np.isfinite(losses).all():
            self._losses = losses
            facts["baseline_loss"] = float(losses.mean())
        known = skill(self.y, np.zeros(shape), self._task)
        facts.update(scored_as=str(known.task), no_skill=known.reason, references={})
        columns = as_columns(self.y, shape)
        has_rows = columns is not None and len(columns) == self.n_rows
        if has_rows and len(self.inputs) == 1 and not known.reason:
            assert columns is not None
            x = self.inputs[0]
            facts["references"] = reference_scores(x, columns, known.task)
        return facts

    def measure(
        self, model: Any
    ) -> tuple[dict[str, float], list[str], list[dict[str, float]]]:
        """Run the model.

        Returns:
            What is said of its predictions, the labels of its layers, and what
            `activation_statistics` says of each.
        """
        with warnings.catch_warnings(action="ignore"):  # Keras warns as it runs `fit`
            outputs, ran = outputs_and_layers(model, self.x)
        layers = [
            activation_statistics(
                as_array(probe.outputs),
                as_array(probe.preactivations),
                probe.activation,
                axis=channel_axis(probe.layer),
            )
            for probe in ran
        ]
        said = self._judge(outputs[0]) if len(outputs) == 1 else {}
        penalties = penalized_weights(model)
        said["penalty"] = float(sum(weight.penalty() for weight in penalties))
        return said, [probe.label for probe in ran], layers

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
