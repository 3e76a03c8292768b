"""The skill of predictions: how much better they are than the best constant.

This is the one definition of the word. The probe, the diagnosis, the studies and
`treat` all use it, so the same predictions have the same skill everywhere.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np

from keras_dlbasic._display import Displayed, wrapped
from keras_dlbasic._wrong_arguments import names_nearest


class TaskKind(StrEnum):
    """The task that one output of a model is trained for.

    It follows from the loss and the output, since the targets do not decide it: 0, 1, 2
    may be classes or counts.

    - `CLASSES`: each row belongs to one class; the largest column wins.
    - `LABELS`: each column is yes or no, independently of the others.
    - `VALUES`: each column is a number to be approximated.
    - `UNKNOWN`: the loss and the output do not decide it.

    Example:
    >>> from keras_dlbasic.analysis import TaskKind
    >>> TaskKind.of("class_numbers"), TaskKind.of("unknown", "relu", 32)
    (<TaskKind.CLASSES: 'classes'>, <TaskKind.UNKNOWN: 'unknown'>)
    """

    CLASSES = "classes"
    LABELS = "labels"
    VALUES = "values"
    UNKNOWN = "unknown"

    @property
    def is_known(self) -> bool:
        """Whether predictions can be scored at all."""
        return self is not TaskKind.UNKNOWN

    @classmethod
    def of(
        cls, family: str, activation: str | None = None, units: int | None = None
    ) -> TaskKind:
        """Return the task of an output with this loss.

        Args:
            family: Kind of targets that the loss takes, as in `LossKind.family`.
            activation: Activation of the output. Defaults to None: not known.
            units: Number of its columns. Defaults to None: not known.
        """
        # Columns that a softmax makes sum up to one are shares of one answer, whatever
        # they are compared by; a loss of the user's own need not be known for that.
        if activation == "softmax" and units is not None and units > 1:
            return cls.CLASSES
        return _TASKS.get(family, cls.UNKNOWN)


_TASKS = {
    "class_numbers": TaskKind.CLASSES,
    "one_hot": TaskKind.CLASSES,
    "zero_one": TaskKind.LABELS,
    "plus_minus": TaskKind.LABELS,
    "values": TaskKind.VALUES,
    "probabilities": TaskKind.VALUES,
}


@names_nearest
@dataclass(frozen=True, repr=False)
class Skill(Displayed):
    """How much better predictions are than the best constant prediction.

    Attributes:
        value: 1 for perfect predictions, 0 for the best constant prediction, negative
            for worse ones. NaN if it cannot be computed.
        reason: Why it cannot be computed; else empty.
        task: The task that was scored, a `TaskKind`.

    Example:
    >>> import numpy as np
    >>> import keras_dlbasic as kd
    >>> y = np.array([0.0, 1.0, 2.0, 3.0])
    >>> kd.analysis.skill(y, y.mean() + 0 * y, "values").value
    0.0
    """

    value: float
    reason: str = ""
    task: TaskKind = TaskKind.UNKNOWN

    def __float__(self) -> float:
        return self.value

    def __str__(self) -> str:
        if math.isnan(self.value):
            return wrapped(f"No skill: {self.reason or 'not known'}")
        return f"Skill {self.value:.3f} ({self.task.value})"


@names_nearest
def skill(
    targets: Any,
    predictions: Any,
    task: TaskKind | str,
    *,
    from_logits: bool = False,
    sample_weight: Any = None,
) -> Skill:
    """Score predictions: 0 is the best constant, 1 is perfect.

    - Classes: the mean recall of the classes that occur, as the share of the way from
      chance to 1 (scikit-learn's `balanced_accuracy_score(adjusted=True)`). Always
      predicting the most common class has a skill of 0, however common it is.
    - Labels: the same for each column, with yes and no as the classes; the mean over
      the columns in which both occur.
    - Values: the share of the variance of all columns that is explained (scikit-learn's
      `r2_score(multioutput="variance_weighted")`).

    Targets that do not fit the task are scored by their own kind: numbers between 0 and
    1 (pixels, soft labels) as values, rows with several classes as labels.

    Args:
        targets: Samples first. Class numbers have one axis less than the predictions,
            or a last axis of 1; other targets have the shape of the predictions.
        predictions: Output of the model, samples first: `[n]`, `[n, columns]` or with
            more axes, whose positions (words, pixels) count as rows.
        task: What the predictions are, a `TaskKind` or its value.
        from_logits: Whether the threshold for "yes" is 0 instead of 0.5, as for logits
            and for hinge losses. It does not matter for classes. Defaults to `False`.
        sample_weight: Weights by sample, `[n]`, or by position. Rows of weight 0 are
            ignored, whatever they contain. Defaults to None: equal weights.

    Returns:
        A `Skill`. Its value is NaN, with the reason, if the task is not known, or if
        targets or predictions are not finite, do not match or do not vary.

    Raises:
        ValueError: If the numbers of samples differ, or `task` is no task.

    Example:
    >>> from keras_dlbasic.analysis import skill
    >>> skill([0, 0, 0, 1], [[0.9, 0.1]] * 4, "classes").value
    0.0
    >>> skill([1.0, 2.0, 3.0], [1.0, 2.0, 3.0], "values").value
    1.0
    >>> skill([1, 1], [[0.2, 0.8]] * 2, "classes").reason
    'all targets are of one class'
    """
    task, predicted = TaskKind(task), np.asarray(predictions, np.float64)
    given = np.asarray(targets)
    check_rows(given, predicted)
    if not task.is_known:
        return Skill(np.nan, "neither the loss nor the output says what is predicted")
    width = predicted.shape[-1] if predicted.ndim > 1 else 1
    columns = target_columns(given, predicted.shape)
    if columns is None:
        text = f"targets {given.shape} do not fit predictions {predicted.shape}"
        return Skill(np.nan, text, task)
    weights = _weights(sample_weight, given, len(columns))
    counted = weights > 0
    t, p = columns[counted], predicted.reshape(-1, width)[counted]
    if not len(t):
        return Skill(np.nan, "all sample weights are 0", task)
    for name, array in (("predictions", p), ("targets", t)):
        if not np.isfinite(array).all():
            return Skill(np.nan, f"some {name} are not finite", task)
    task = fitting_task(t, width, task)
    score = {
        TaskKind.CLASSES: _of_classes,
        TaskKind.LABELS: _of_labels,
        TaskKind.VALUES: _of_values,
    }[task]
    value, reason = score(t, p, weights[counted], from_logits)
    return Skill(value, reason, task)


def check_rows(targets: np.ndarray, predictions: np.ndarray) -> None:
    """Check that there are as many predictions as targets.

    Raises:
        ValueError: If not.
    """
    if not targets.ndim or not predictions.ndim or len(targets) != len(predictions):
        raise ValueError(
            "Expected as many predictions as targets. Received: "
            f"{predictions.shape[:1]} predictions, {targets.shape[:1]} targets"
        )


def fitting_task(columns: np.ndarray, width: int, task: TaskKind) -> TaskKind:
    """Return the task, or the nearest one that such targets can have.

    Args:
        columns: Targets as columns, `[n, width]`, or class numbers `[n, 1]`.
        width: Number of columns of the predictions.
        task: The task by the loss and the output.
    """
    is_zero_one = bool(np.isin(columns, (0.0, 1.0)).all())
    if task is TaskKind.CLASSES:
        if columns.shape[1] == width > 1:
            several = is_zero_one and bool((columns.sum(axis=1) > 1).any())
            return TaskKind.LABELS if several else task
        if width > 1:
            return task
        task = TaskKind.LABELS  # a single column is yes or no, if it is anything
    if task is TaskKind.LABELS and not is_zero_one:
        is_sign = bool(np.isin(columns, (-1.0, 1.0)).all())  # as hinge losses have it
        return task if is_sign else TaskKind.VALUES
    return task


def target_columns(targets: np.ndarray, shape: tuple[int, ...]) -> np.ndarray | None:
    """Return targets as columns like the predictions, or class numbers as one column.

    Where predictions have an axis more, each entry of the targets is an answer by
    itself, however many there are in the last axis.

    Args:
        targets: Targets, samples first.
        shape: Shape of the predictions.

    Returns:
        Array `[n, width]` or `[n, 1]`; None if they do not fit.
    """
    width = shape[-1] if len(shape) > 1 else 1
    if targets.dtype.kind not in "biuf":
        return None
    targets = targets.astype(np.float64)
    rows = int(np.prod(shape)) // width
    has_columns = targets.ndim > 1 and len(shape) != targets.ndim + 1
    if has_columns and targets.shape[-1] == width and targets.size == rows * width:
        return targets.reshape(-1, width)
    return targets.reshape(-1, 1) if targets.size == rows else None


def _weights(given: Any, targets: np.ndarray, rows: int) -> np.ndarray:
    if given is None:
        return np.ones(rows)
    weights = np.asarray(given, np.float64)
    if weights.size == rows:
        return weights.ravel()
    if weights.size != len(targets) or rows % len(targets):
        raise ValueError(
            "`sample_weight` must have one entry a sample or a position. Received: "
            f"shape {weights.shape} for {len(targets)} samples, {rows} positions"
        )
    return np.repeat(weights.ravel(), rows // len(targets))


def _of_classes(
    t: np.ndarray, p: np.ndarray, weights: np.ndarray, from_logits: bool
) -> tuple[float, str]:
    if t.shape[1] > 1:
        classes = t.argmax(axis=1)
    elif (t != np.round(t)).any() or t.min() < 0:
        return np.nan, "the targets are no class numbers"
    else:
        classes = t[:, 0].astype(int)  # one without an output is never right
    right = p.argmax(axis=1) == classes
    _, numbers = np.unique(classes, return_inverse=True)
    totals = np.bincount(numbers, weights)
    if len(totals) < 2:
        return np.nan, "all targets are of one class"
    # Balanced accuracy, scaled: the mean recall of the classes. So a constant
    # prediction has skill 0, however rare some classes are.
    recall = float(np.mean(np.bincount(numbers, weights * right) / totals))
    chance = 1 / len(totals)
    return (recall - chance) / (1 - chance), ""


def _of_labels(
    t: np.ndarray, p: np.ndarray, weights: np.ndarray, from_logits: bool
) -> tuple[float, str]:
    is_sign = from_logits or bool((t < 0).any())
    yes, said = t > 0.5, p > (0.0 if is_sign else 0.5)
    kept = [k for k in range(t.shape[1]) if yes[:, k].any() and not yes[:, k].all()]
    if not kept:
        return np.nan, "all targets of a column are the same"
    # Recall of yes plus recall of no, less one: 0 for any constant and for guessing, 1
    # if all are right (Youden's J).
    recalls = [
        np.average(said[yes[:, k], k], weights=weights[yes[:, k]])
        + np.average(~said[~yes[:, k], k], weights=weights[~yes[:, k]])
        for k in kept
    ]
    return float(np.mean(recalls)) - 1.0, ""


def _of_values(
    t: np.ndarray, p: np.ndarray, weights: np.ndarray, from_logits: bool
) -> tuple[float, str]:
    if t.shape[1] != p.shape[1]:
        return np.nan, "the targets are single values, the predictions have columns"
    if (t == t[0]).all():
        return np.nan, "all targets are the same"
    if from_logits:
        p = sigmoid(p)
    # The coefficient of determination of all columns together, against the mean as the
    # best constant.
    mean = np.average(t, axis=0, weights=weights)
    with np.errstate(over="ignore"):
        spread = np.sum(weights[:, None] * (t - mean) ** 2)
        error = np.sum(weights[:, None] * (t - p) ** 2)
    return float(1 - error / spread), ""


def sigmoid(z: np.ndarray) -> np.ndarray:
    """Return the logistic function, without overflow."""
    half: np.ndarray = 0.5 * (1 + np.tanh(0.5 * z))
    return half
