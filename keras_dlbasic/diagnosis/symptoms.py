"""Symptoms that go together: what one cause of a kind can bring about."""

NOT_LEARNING = ("plateau", "constant_predictions", "underfitting", "slow_convergence")

UNSTABLE = (
    "non_finite_values",
    "diverging_loss",
    "exploding_gradients",
    "oscillating_loss",
)
