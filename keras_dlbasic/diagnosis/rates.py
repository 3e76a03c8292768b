"""How far and how fast the weights of a run move."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from keras_dlbasic.diagnosis.skipped import Skipped
from keras_dlbasic.records import TrainingRecord


@dataclass(frozen=True)
class Movement:
    """How the weights of a run moved.

    Attributes:
        ratio: Median update-to-weight ratio of a step, over all kernels.
        first: Largest ratio in the first ten sampled steps.
        worst: Largest ratio of a single kernel in these, see `worst_kernel`.
        worst_layer: Label of its layer; None if not known.
        path: Length of the way in units of the weights' norm, at most: the mean ratio
            times the number of steps.
        growth: Norm of the weights at the end over that at the start.
        steps: Number of steps trained.
    """

    ratio: float
    first: float
    worst: float
    worst_layer: str | None
    path: float
    growth: float
    steps: int


def update_ratio_of(
    record: TrainingRecord, *, of_usual_size: bool = False
) -> np.ndarray:
    """Return the size of the update over that of the weights, over all kernels, `[n]`.

    NaN where loss scaling skipped the update; empty without kernels.

    Args:
        record: What was recorded.
        of_usual_size: Whether a kernel counts as large as one drawn by LeCun's law at
            least: embeddings start far smaller, and may grow. Defaults to `False`.
    """
    kernels = [len(v.shape) > 1 for v in record.variables]
    if not any(kernels):
        return np.zeros(0)
    with np.errstate(all="ignore"):
        updates = record.update_norm[:, kernels].astype(np.float64)
        weights = record.weight_norm[:, kernels].astype(np.float64)
        if of_usual_size:
            units = [v.shape[-1] for v in record.variables if len(v.shape) > 1]
            weights = np.fmax(weights, np.sqrt(np.asarray(units, np.float64)))
        updates = np.where(np.isfinite(updates), updates, 0.0)
        total = np.sqrt((weights**2).sum(axis=1))
        ratio: np.ndarray = np.sqrt((updates**2).sum(axis=1)) / total
    ratio[record.skipped] = np.nan
    return ratio


def projected_rows(record: TrainingRecord) -> int:
    """Return the number of first rows in which a constraint moves initial weights.

    Args:
        record: What was recorded.
    """
    model = record.facts.model
    layers = () if model is None else model.layers
    return int(any(layer.constraint is not None for layer in layers))


def worst_kernel(record: TrainingRecord, rows: int = 10) -> tuple[float, str | None]:
    """Return how far a kernel moved in a step at most, and the layer that it is of.

    Where one layer is thrown off, the others may be so large that all together hardly
    move. The second step of a fit is not sampled: of steps between two rows a lower
    bound is known, the change of the norm.

    The size that counts is that of weights drawn by LeCun's law at least: a layer that
    starts near zero may grow many times over in a step.

    Args:
        record: What was recorded.
        rows: Number of the first sampled steps that are looked at. Defaults to `10`.
    """
    worst, layer = 0.0, None
    start = projected_rows(record)
    for column, info in enumerate(record.variables):
        if len(info.shape) < 2:
            continue
        weights = record.weight_norm[start:rows, column].astype(np.float64)
        updates = record.update_norm[start:rows, column].astype(np.float64)
        # jumps that span more steps than one are many short ones
        is_near = np.diff(record.steps[start:rows]) <= 2
        jumps = np.where(is_near, np.abs(np.diff(weights)), 0.0)
        updates[record.skipped[start:rows]] = 0.0
        moved = np.fmax(updates, np.append(jumps, 0.0))
        # The norm of a kernel drawn by LeCun's law: fan_in * units weights of variance
        # 1 / fan_in have a squared norm of `units`.
        usual = float(info.shape[-1]) ** 0.5
        ratios = moved / np.fmax(weights, usual)
        known = ratios[np.isfinite(ratios)]
        if len(known) and known.max() > worst:
            worst, layer = float(known.max()), info.layer
    return worst, layer


def movement_of(record: TrainingRecord) -> Movement:
    """Measure how the weights of a run moved.

    Args:
        record: What was recorded, with sampled steps.

    Raises:
        Skipped: If no updates were recorded.
    """
    steps = record.steps
    ratio = update_ratio_of(record)
    known = np.isfinite(ratio)
    if not known.any():
        raise Skipped("no updates of kernels were recorded")
    kernels = [len(v.shape) > 1 for v in record.variables]
    with np.errstate(all="ignore"):
        sizes = np.sqrt(
            (record.weight_norm[:, kernels].astype(np.float64) ** 2).sum(axis=1)
        )
    finite = sizes[np.isfinite(sizes) & (sizes > 0)]
    growth = float(finite[-1] / finite[0]) if len(finite) else math.nan
    # sampled steps are dense in the beginning: each stands for those up to the next
    gaps = np.diff(np.append(steps, max(record.trained_steps, steps[-1] + 1)))
    mean = float(np.average(ratio[known], weights=np.maximum(gaps[known], 1)))
    total = max(record.trained_steps, int(steps[-1]) + 1)
    worst, layer = worst_kernel(record)
    start = projected_rows(record)
    return Movement(
        ratio=float(np.median(ratio[known])),
        first=float(np.max(ratio[known][start:][:10], initial=0.0)),
        worst=worst,
        worst_layer=layer,
        path=mean * total,
        growth=growth,
        steps=total,
    )


ADAPTIVE = ("Ada", "Lion", "Nadam", "RMSprop")
"""Optimizers whose first steps have the length of the rate, whatever the gradient."""


def is_adaptive(optimizer: str) -> bool:
    """Return whether the steps of an optimizer do not shrink with the gradient.

    Args:
        optimizer: Name of its class.
    """
    return optimizer.startswith(ADAPTIVE)
