"""How many replicas train a model."""

from __future__ import annotations

from typing import Any


def replicas_of(model: Any) -> int:
    """Return the number of replicas of the TensorFlow strategy of a model, else 1."""
    strategy = getattr(model, "distribute_strategy", None)
    return int(getattr(strategy, "num_replicas_in_sync", 1))
