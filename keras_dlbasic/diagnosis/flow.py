"""How gradients change along the depth of a network, early in a run."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from keras_dlbasic.analysis import gradient_flow
from keras_dlbasic.records import TrainingRecord


@dataclass(frozen=True)
class Flow:
    """Relative gradients of layers against each other, median over early steps.

    Attributes:
        down: Smallest ratio of a layer's relative gradient to the largest behind it.
        down_layer: Label of that layer.
        up: Largest ratio of a layer's relative gradient to that of the last layer.
        up_layer: Label of that layer.
    """

    down: float
    down_layer: str
    up: float
    up_layer: str


def early_flow(
    record: TrainingRecord, clean: np.ndarray, *, least: int = 5, early: int = 64
) -> Flow | None:
    """Compare the gradients of layers in the first sampled steps.

    Args:
        record: What was recorded.
        clean: Which sampled steps have finite gradients and were not skipped, `[n]`.
        least: Number of usable steps that are needed. Defaults to `5`.
        early: Number of usable steps that are looked at, the first ones. Defaults to
            `64`.

    Returns:
        None if there are too few steps or fewer than two layers with kernels.
    """
    with_kernels = {v.layer for v in record.variables if len(v.shape) > 1}
    layers = [layer for layer in record.layers if layer in with_kernels]
    rows = np.flatnonzero(clean)[:early]
    if len(layers) < 2 or len(rows) < least:
        return None
    columns = [record.layers.index(layer) for layer in layers]
    norms = record.by_layer("gradient_norm")[rows][:, columns]
    weights = record.by_layer("weight_norm")[rows][:, columns]
    flow = np.nan_to_num(gradient_flow(norms, weights), posinf=0.0)
    usable = flow.max(axis=1) > 0
    if not usable.any():
        return None
    flow = flow[usable]
    # For each layer, the largest relative gradient of this layer and all behind it.
    behind = np.maximum.accumulate(flow[:, ::-1], axis=1)[:, ::-1]
    with np.errstate(all="ignore"):
        down = np.median(flow[:, :-1] / behind[:, :-1], axis=0)
        up = np.median(flow[:, :-1] / flow[:, -1:], axis=0)
    down, up = np.nan_to_num(down, nan=1.0), np.nan_to_num(up, nan=1.0, posinf=1.0)
    lowest, highest = int(np.argmin(down)), int(np.argmax(up))
    return Flow(
        float(down[lowest]), layers[lowest], float(up[highest]), layers[highest]
    )
