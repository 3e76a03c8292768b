"""What a linear autoencoder reaches, where a model has to give its inputs back."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from keras_dlbasic.analysis.scoring import TaskKind, skill
from keras_dlbasic.records import LayerFacts

SAME, ALIKE = 0.99, 0.5
"""Shares of the targets' variance that the inputs themselves explain."""


def likeness(x: np.ndarray, columns: np.ndarray) -> float:
    """Return the share of the targets' variance that the inputs themselves explain.

    Args:
        x: Inputs, samples first.
        columns: Targets as columns, `[n, width]`.

    Returns:
        1 where the targets are the inputs; minus infinity where they do not fit, or are
        a single column.
    """
    flat = np.asarray(x, np.float64).reshape(len(x), -1)
    if flat.shape != columns.shape or columns.shape[1] < 2:
        return -np.inf
    spread = float(((columns - columns.mean(axis=0)) ** 2).sum())
    return 1 - float(((columns - flat) ** 2).sum()) / spread if spread else -np.inf


def narrowest(layers: Sequence[LayerFacts]) -> int | None:
    """Return the least number of units of a model of dense layers; None for others."""
    with_kernel = [layer for layer in layers if layer.has_kernel]
    if not with_kernel or any(layer.kind != "dense" for layer in with_kernel):
        return None
    return min((layer.units for layer in with_kernel if layer.units), default=None)


def component_skill(
    columns: np.ndarray, units: int, task: TaskKind | str
) -> dict[str, float]:
    """Return the skill of as many principal components as fit through a model.

    They are those of one half of the rows, and judged on the other.

    Args:
        columns: Targets as columns, `[n, width]`.
        units: Number of components.
        task: What is predicted.

    Returns:
        `"components"`; empty for fewer than 20 rows, or no fewer components than
        columns, with which anything can be given back.
    """
    n, width = columns.shape
    if n < 20 or units >= width:
        return {}
    given = np.empty_like(columns, dtype=np.float64)
    # Components of one half of the rows reconstruct the other half. On their own rows
    # they would look better than a model can be on new data.
    for half in (np.arange(0, n, 2), np.arange(1, n, 2)):
        others = np.setdiff1d(np.arange(n), half)
        mean = columns[others].mean(axis=0)
        _, _, axes = np.linalg.svd(columns[others] - mean, full_matrices=False)
        kept = axes[:units]
        given[half] = (columns[half] - mean) @ kept.T @ kept + mean
    return {"components": skill(columns, given, task).value}
