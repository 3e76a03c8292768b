"""Full-batch, mini-batch and stochastic gradient descent on one model."""
