"""Units that the first, long steps of a run put out of action for good."""

from __future__ import annotations

import numpy as np

from keras_dlbasic.diagnosis.rates import update_ratio_of
from keras_dlbasic.diagnosis.run import Run

DIED = 0.5
"""Share of the units of a layer that are dead from the first epoch on, and were not."""

BURST = 5.0
"""How much longer the longest of the first steps is than later steps are."""

FIRST_STEPS = 5


def has_collapsed(run: Run) -> bool:
    """Return whether units died in the first epoch and steps were long only till then.

    Units may die for other reasons, and long first steps do no harm where the model
    goes on to learn. So both have to be measured, one after the other: units that were
    active before training, are dead after the first epoch and stay so; and steps that
    shrink at once, as those of a model do through which no gradient passes.

    Args:
        run: The run.
    """
    table = run.record.tables.get("activations")
    if table is None or len(table) < 2 or table.epochs[0] >= 0 or table.epochs[1] > 0:
        return False
    places = run.hidden(table.labels)
    dead = np.nan_to_num(table["dead_units"])[:, places]
    if not dead.size or not (dead[1:].min(axis=0) - dead[0]).max() >= DIED:
        return False
    ratios = update_ratio_of(run.record)
    ratios = ratios[np.isfinite(ratios)]
    if len(ratios) < 2 * FIRST_STEPS:
        return False
    first, later = ratios[:FIRST_STEPS].max(), np.median(ratios[FIRST_STEPS:])
    return bool(first >= BURST * later)
