"""Names of findings that are true of a run but not its cause."""

from __future__ import annotations

STUCK = ("constant_predictions", "plateau", "underfitting", "slow_convergence")
"""Of a run that does not learn."""

BLOWN_UP = (
    "diverging_loss",
    "exploding_gradients",
    "non_finite_values",
    "oscillating_loss",
)
"""Of a run that does not stay finite or still."""
