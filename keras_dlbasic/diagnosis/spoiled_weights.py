"""Whether the weights that a run left can be trained on."""

from __future__ import annotations

import numpy as np

from keras_dlbasic.diagnosis.run import Run
from keras_dlbasic.diagnosis.skipped import Skipped

MOST_INACTIVE = 0.5
"""Share of dead or saturated units at which little gets through a layer."""

GAINED = 0.25
"""What begins inactive is the matter of the initial weights, not of the run."""


GROWN = 3.0
"""Factor by which a kernel has grown that steps too long have thrown far off."""


def weights_are_spoiled(run: Run) -> bool:
    """Return whether a run ruined its weights, so that a remedy needs new ones.

    A smaller learning rate cannot wake units that a large one has killed: their
    gradient is zero.

    Args:
        run: The run.
    """
    if run.is_planned or run.outcome.learned:
        return False
    norms = run.record.weight_norm
    if len(norms) and not np.isfinite(norms[-1]).all():
        return True
    if len(norms) and _has_grown(run):
        return True
    try:
        table = run.table("activations")
    except Skipped:
        return False
    measures = [m for m in ("dead_units", "saturated_units") if m in table.measures]
    return any(_has_lost(table[measure]) for measure in measures)


def _has_grown(run: Run) -> bool:
    """Return whether a kernel has become several times as large as it was."""
    kernels = [i for i, info in enumerate(run.record.variables) if len(info.shape) > 1]
    first, last = (run.record.weight_norm[place, kernels] for place in (0, -1))
    return bool(((first > 0) & (last > GROWN * first)).any())


def _has_lost(shares: np.ndarray) -> bool:
    """Return whether a hidden layer's share of inactive units has become large.

    Args:
        shares: Of each look and layer, `[n_looks, n_layers]`.
    """
    hidden = np.nan_to_num(shares[:, :-1])
    first, last = hidden[0], hidden[-1]
    return bool(((last >= MOST_INACTIVE) & (last - first >= GAINED)).any())
