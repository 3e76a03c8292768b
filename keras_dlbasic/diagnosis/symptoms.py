"""Symptoms that go together: what one cause of a kind can cause."""

NOT_LEARNING = ("plateau", "constant_predictions", "underfitting", "slow_convergence")

NOT_FINITE = (
    "non_finite_values",
    "constant_predictions",
    "plateau",
    "underfitting",
    "dead_units",
    "diverging_loss",
)

UNSTABLE = (
    "non_finite_values",
    "diverging_loss",
    "exploding_gradients",
    "oscillating_loss",
)
