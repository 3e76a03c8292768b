"""How activations grow or shrink from layer to layer before training."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from keras_dlbasic.analysis.activations.propagation import signal_trend
from keras_dlbasic.diagnosis.run import Run

NARROW = 5.0
"""Variance of the logarithm of a mean square that a rectified layer of n random units
adds is this over n (Hanin & Rolnick 2018)."""


@dataclass(frozen=True)
class DepthTrend:
    """The law of the mean squares of activations over the hidden layers.

    Attributes:
        factor: Factor of the mean square a layer.
        change: That of the last layer over that of the first.
        chance: Factor, up or down, that random weights of these widths may cause.
        first: Label of the first layer.
        last: Label of the last one.
        gain: Median gain of their kernels.
    """

    factor: float
    change: float
    chance: float
    first: str
    last: str
    gain: float


def depth_trend(run: Run) -> DepthTrend | None:
    """Return how activations change with depth, on the probe before training.

    Args:
        run: The run.

    Returns:
        None where that was not looked at, no exponential describes it, or something is
        normalized on the way: then the size of weights does not matter.
    """
    table = run.record.tables.get("activations")
    if table is None or not len(table) or table.epochs[0] >= 0:
        return None
    if any(facts.normalizes for facts in run.layers):
        return None
    kernels = {f.label: f for f in run.layers if f.has_kernel and not f.looks_up}
    places = [p for p in run.hidden(table.labels) if table.labels[p] in kernels]
    if not places:
        return None
    facts = [kernels[table.labels[place]] for place in places]
    mean, variance = table["mean"][0][places], table["variance"][0][places]
    # Each narrow layer adds its own variance to the logarithm of the signal. The root
    # of the sum is how far chance alone may move it over the whole depth.
    spread = math.sqrt(sum(NARROW / (f.units or f.fan_out or 1.0) for f in facts))
    trend = signal_trend(variance + mean**2, spread)
    if trend.kind != "exponential":
        return None
    return DepthTrend(
        factor=trend.factor,
        change=trend.change,
        chance=math.exp(3 * spread),
        first=facts[0].label,
        last=facts[-1].label,
        gain=float(np.median([f.gain for f in facts])),
    )
