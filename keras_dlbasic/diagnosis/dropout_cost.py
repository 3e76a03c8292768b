"""What dropout costs in training."""

from __future__ import annotations

import numpy as np

from keras_dlbasic.diagnosis.run import Run


def dropout_cost(run: Run) -> float | None:
    """Return the share of what was learned that is lost with dropout on.

    The logged loss of the last epoch is that of training, the loss on the probe is that
    of the same model with dropout off.

    Args:
        run: The run.

    Returns:
        1 where training is no better than a constant prediction. None where a loss is
        not known, nothing was learned, or rows have weights: these are in the logged
        loss only. So are penalties and what the model adds by `add_loss`, which are
        taken off.
    """
    outcome, data = run.outcome, run.facts.data
    loss = run.loss[np.isfinite(run.loss)]
    is_weighted = data is not None and any(w.min != w.max for w in data.weights)
    if outcome.loss is None or len(loss) < 2 or is_weighted:
        return None
    if not outcome.baseline or outcome.baseline <= outcome.loss:
        return None
    # a loss that still falls is higher over its epoch than at the end of it
    progress = max(0.0, float(loss[-2] - loss[-1]))
    probe = run.facts.probe
    added = (probe.added_at_end or 0.0) if probe is not None else 0.0
    beside = max(0.0, run.penalty) + max(0.0, added)
    gap = float(loss[-1]) - beside - outcome.loss - progress
    # the probe has a few of the rows only: what may be their chance does not count
    gap -= 2 * outcome.loss_saved_error * abs(outcome.baseline)
    return gap / (outcome.baseline - outcome.loss)
