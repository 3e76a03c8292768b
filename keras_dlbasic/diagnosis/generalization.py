"""Whether there is anything in the data that carries over to other rows."""

from __future__ import annotations

import numpy as np

from keras_dlbasic.diagnosis.outcome import NOTHING_SAVED, NOTHING_SKILL
from keras_dlbasic.diagnosis.run import Run

MIN_ROWS = 100
"""The skill of a predictor on rows not seen has a standard error of 0.1 then."""


def never_generalized(run: Run) -> bool | None:
    """Return whether the validation loss was never below that of a constant answer.

    None where either is not known.
    """
    losses = run.val_loss[np.isfinite(run.val_loss)]
    baseline = run.outcome.baseline
    if not len(losses) or not baseline:
        return None
    # penalties are in the logged loss, and not in that of a constant answer
    best = float(losses.min()) - max(0.0, run.penalty)
    return best > baseline - NOTHING_SAVED * abs(baseline)


def predictors_find_nothing(run: Run) -> bool:
    """Return whether simple predictors do no better than chance on rows not seen."""
    reference, rows = run.outcome.reference, run.probe_rows or 0
    return reference is not None and rows >= MIN_ROWS and reference < NOTHING_SKILL
