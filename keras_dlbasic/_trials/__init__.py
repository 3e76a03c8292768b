"""Trials: many small fits from the same start, run anywhere, stored and resumed."""
