"""What a model's task is."""

from __future__ import annotations

from enum import StrEnum


class TaskKind(StrEnum):
    """How the predictions of one output are to be understood.

    Only the loss and the output say whether numbers are classes: targets such as 0, 1,
    2 may just as well be counts.

    - `CLASSES`: each row belongs to one class; the largest column wins.
    - `LABELS`: each column is yes or no, whatever the other columns are.
    - `VALUES`: each column is a number to come close to.
    - `UNKNOWN`: neither the loss nor the output tells.

    Example:
    >>> from keras_dlbasic.analysis import TaskKind
    >>> TaskKind.of("class_numbers"), TaskKind.of("unknown", "relu", 32)
    (<TaskKind.CLASSES: 'classes'>, <TaskKind.UNKNOWN: 'unknown'>)
    """

    CLASSES = "classes"
    LABELS = "labels"
    VALUES = "values"
    UNKNOWN = "unknown"

    @classmethod
    def of(
        cls, family: str, activation: str | None = None, units: int | None = None
    ) -> TaskKind:
        """Return the task that a loss and an output are made for.

        Args:
            family: What the loss takes for targets, as `LossKind.family` names it.
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
