"""Overfitting and early stopping, from the curves of a run."""
