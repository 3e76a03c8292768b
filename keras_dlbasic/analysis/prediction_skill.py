"""The skill of predictions whose task need not be named."""

from __future__ import annotations

from typing import Any

import numpy as np

from keras_dlbasic._wrong_arguments import names_nearest
from keras_dlbasic.analysis.scoring import TaskKind, skill


@names_nearest
def prediction_skill(
    y: Any,
    predictions: Any,
    *,
    from_logits: bool = False,
    task: TaskKind | str | None = None,
) -> float:
    """Score predictions as `skill` does: 0 is the best constant, 1 is perfect.

    Args:
        y: Targets, samples first.
        predictions: Output of the model, `[n, ...]`.
        from_logits: As for `skill`. Defaults to `False`.
        task: Task of the model. Defaults to None: guessed from the data by
            `guessed_task`. Pass it if the loss is known.

    Returns:
        The skill; NaN if it cannot be computed, see `skill`.

    Raises:
        ValueError: If `y` and `predictions` differ in the number of samples.

    Example:
    >>> import keras_dlbasic as kd
    >>> kd.analysis.prediction_skill([0, 1, 1, 0], [[0.1], [0.9], [0.2], [0.3]])
    0.5
    """
    if task is None:
        task = guessed_task(y, predictions)
    return skill(y, predictions, task, from_logits=from_logits).value


def guessed_task(y: Any, predictions: Any) -> TaskKind:
    """Guess the task where neither the loss nor the output is known.

    Class numbers are known from predictions with an axis more; else one-hot rows count
    as classes, other columns of 0 and 1 (or -1 and 1) as labels, the rest as values.
    """
    t, p = np.asarray(y), np.asarray(predictions)
    width = p.shape[-1] if p.ndim > 1 else 1
    if width > 1 and t.size == p.size // width:
        return TaskKind.CLASSES
    if not (np.isin(t, (0, 1)).all() or np.isin(t, (-1, 1)).all()):
        return TaskKind.VALUES
    if width > 1 and t.shape == p.shape and (t.sum(axis=-1) == 1).all():
        return TaskKind.CLASSES
    return TaskKind.LABELS
