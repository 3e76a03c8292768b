"""How alive the units of a layer are, from their activations."""

from __future__ import annotations

import numpy as np

from keras_dlbasic.analysis.activations.table import ACTIVATIONS
from keras_dlbasic.analysis.activations.unit_moments import UnitMoments, statistics_of

MEASURES = (
    "mean",
    "variance",
    "dead_units",
    "saturated_units",
    "saturated_share",
    "dormant_units",
)
"""What `activation_statistics` gives."""

DORMANT = 0.025
"""Sokar et al. (2023) count a unit as dormant up to this score."""


def activation_statistics(
    outputs: np.ndarray,
    preactivations: np.ndarray | None = None,
    activation: str | None = None,
    *,
    axis: int = -1,
    dormant: float = DORMANT,
) -> dict[str, float]:
    """Describe the activations of a layer on a batch.

    Args:
        outputs: What the layer gives, samples first.
        preactivations: What its activation was given, same shape. Defaults to None.
        activation: Name of the activation, by which saturation is told.
        axis: The axis that counts the units. Defaults to `-1`.
        dormant: Score up to which a unit counts as dormant. Defaults to `0.025`.

    Returns:
        `"mean"` and `"variance"` over all entries;
        `"dead_units"`: share of units that are exactly zero for every sample (and
        position); `"saturated_share"`: share of entries at which the slope is below 5 %
        of the steepest, and `"saturated_units"`: share of units for which that holds
        for at least 95 % of their entries, both NaN where the activation does not level
        off at a value other than zero; `"dormant_units"`: share of units whose mean
        absolute activation is at most `dormant` times the layer's average.

    Reference:
        Sokar, Agarwal, Castro & Evci (2023), The dormant neuron phenomenon in deep
        reinforcement learning.

    Example:
    >>> import numpy as np
    >>> from keras_dlbasic.analysis.activations.statistics import activation_statistics
    >>> outputs = np.array([[0.0, 1.0], [0.0, 3.0]])
    >>> activation_statistics(outputs)["dead_units"]
    0.5
    """
    low, high = saturation_levels(activation)
    saturated = None
    if preactivations is not None and (low is not None or high is not None):
        z = _by_unit(preactivations, axis)
        saturated = np.zeros(z.shape, bool)
        if low is not None:
            saturated |= z < low
        if high is not None:
            saturated |= z > high
    return statistics_of(
        UnitMoments.of_arrays(_by_unit(outputs, axis), saturated), dormant
    )


def _by_unit(values: np.ndarray, axis: int) -> np.ndarray:
    values = np.asarray(values, np.float64)
    if values.ndim < 2:
        return values.reshape(-1, 1)
    return np.moveaxis(values, axis, -1).reshape(-1, values.shape[axis])


def saturation_levels(activation: str | None) -> tuple[float | None, float | None]:
    """Return the inputs beyond which an activation is saturated, not dead.

    Args:
        activation: Its name, None for a linear layer.
    """
    info = ACTIVATIONS.get(activation or "linear")
    if info is None:
        return None, None
    low, high = info.saturation
    if info.kind == "s_shaped":
        return low, high
    return (None, high) if info.name == "relu6" else (None, None)
