"""Class numbers that a loss compares by their size."""

from __future__ import annotations

from keras_dlbasic.diagnosis.metric_names import ACCURACIES, metric_names
from keras_dlbasic.diagnosis.run import Run

LEAST_CLASSES, MOST_CLASSES = 3, 100

EVEN = 0.2
"""Each class has at least this share of the rows that equal classes would have."""


def treats_classes_as_sizes(run: Run) -> bool:
    """Return whether a regression loss is compiled for what seem to be class numbers.

    They are the whole numbers from 0 on, all of them, none rare, and an accuracy is
    compiled, but no metric of sizes beside it, as for grades.

    Args:
        run: The run.
    """
    targets, outputs = run.facts.targets, run.facts.outputs
    if len(targets) != 1 or len(outputs) != 1 or run.loss_kind.family != "values":
        return False
    target = targets[0]
    numbers, shares = target.distinct or (), target.frequencies or ()
    if target.kind != "whole_numbers" or target.n_columns != 1:
        return False
    if not LEAST_CLASSES <= len(numbers) <= MOST_CLASSES or outputs[0].units != 1:
        return False
    is_even = len(shares) == len(numbers) and min(shares) * len(shares) > EVEN
    is_counted = tuple(sorted(numbers)) == tuple(range(len(numbers)))
    names = {name for name, _ in metric_names(run.facts.metrics)}
    asks_for_classes = bool(names) and names <= {*ACCURACIES}
    return is_even and is_counted and asks_for_classes
