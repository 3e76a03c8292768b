"""The deviation of the targets, on the scale of the predictions."""

from __future__ import annotations

import math

from keras_dlbasic.analysis.scoring import TaskKind
from keras_dlbasic.diagnosis.run import Run


def target_deviation(run: Run) -> float:
    """Return what the deviation of predictions is compared with.

    Class numbers have another scale than predictions, which have a column for each
    class. The deviation of a one-hot column with share p is `sqrt(p * (1 - p))`.

    Args:
        run: The run, of one output.

    Returns:
        Root mean square over the columns of the targets; NaN if not known.

    Raises:
        Skipped: If there are several targets or none.
    """
    target, shares = run.target, [p for p in run.target.frequencies or () if p]
    if run.task is TaskKind.CLASSES and target.kind == "whole_numbers":
        if not shares:
            return math.nan
        return math.sqrt(sum(p * (1 - p) for p in shares) / len(shares))
    return target.std
