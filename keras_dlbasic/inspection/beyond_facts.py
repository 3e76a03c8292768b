"""What a loss of probabilities gives for targets that no probability can be."""

from __future__ import annotations

from typing import Any

import numpy as np

from keras_dlbasic.inspection.baseline import as_columns, sample_losses
from keras_dlbasic.inspection.truth_facts import MIN_ROWS
from keras_dlbasic.records.probe_facts import BeyondFacts

ROUNDING = 1e-3
"""Targets that are no further outside of 0 and 1 count as inside."""


def beyond_facts(
    loss: Any, targets: np.ndarray, shape: tuple[int, ...], activation: str | None
) -> BeyondFacts | None:
    """Evaluate a loss ever closer to targets outside of 0 and 1.

    Args:
        loss: As for `sample_losses`.
        targets: Targets, samples first.
        shape: Shape of the model's outputs for these rows.
        activation: Activation of the output.

    Returns:
        The losses; None where the targets are from 0 to 1, the output is no sigmoid of
        their shape, or the loss cannot be computed.

    Example:
    >>> import numpy as np
    >>> from keras import ops
    >>> from keras_dlbasic.inspection.beyond_facts import beyond_facts
    >>> entropy = lambda t, p: -(t * ops.log(p) + (1 - t) * ops.log(1 - p))
    >>> y = np.linspace(-1.0, 1.0, 32)[:, None]
    >>> facts = beyond_facts(entropy, y, (32, 1), "sigmoid")
    >>> facts.thousandth < facts.hundredth < 0
    True
    """
    given = np.asarray(targets)
    if activation not in ("sigmoid", "hard_sigmoid") or len(given) < MIN_ROWS:
        return None
    columns = as_columns(given, shape)
    if columns is None or columns.size != given.size or not np.isfinite(columns).all():
        return None
    outside = float(np.mean((columns < -ROUNDING) | (columns > 1 + ROUNDING)))
    if not outside:
        return None

    def cost(answer: np.ndarray, edge: float, wanted: np.ndarray = given) -> float:
        outputs = np.clip(answer, edge, 1 - edge).reshape(shape).astype("float32")
        return float(sample_losses(loss, wanted.copy(), outputs).mean())

    zeros, ones = np.zeros_like(columns), np.ones_like(columns)
    try:
        return BeyondFacts(
            outside=outside,
            tenth=cost(columns, 0.1),
            hundredth=cost(columns, 0.01),
            thousandth=cost(columns, 0.001),
            compares=cost(zeros, 0.01, 0 * given) < cost(ones, 0.01, 0 * given)
            and cost(ones, 0.01, 0 * given + 1) < cost(zeros, 0.01, 0 * given + 1),
        )
    except Exception:  # a user's loss, of which not all answers need be possible
        return None
