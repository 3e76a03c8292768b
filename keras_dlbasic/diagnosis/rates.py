"""How far and how fast the weights of a run move."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from keras_dlbasic.diagnosis.rule import Skipped
from keras_dlbasic.diagnosis.run import Run


@dataclass(frozen=True)
class Movement:
    """How the weights of a run moved.

    Attributes:
        ratio: Median update-to-weight ratio of a step, over all kernels.
        first: Largest ratio in the first ten sampled steps.
        path: Length of the way in units of the weights' norm, at most: the mean ratio
            times the number of steps.
        growth: Norm of the weights at the end over that at the begin.
        steps: Number of steps trained.
    """

    ratio: float
    first: float
    path: float
    growth: float
    steps: int


def movement_of(run: Run) -> Movement:
    """Measure how the weights of a run moved.

    Raises:
        Skipped: If no updates were recorded.
    """
    steps = run.steps
    ratio = run.update_ratio
    known = np.isfinite(ratio)
    if not known.any():
        raise Skipped("no updates of kernels were recorded")
    kernels = [len(v.shape) > 1 for v in run.record.variables]
    with np.errstate(all="ignore"):
        sizes = np.sqrt(
            (run.record.weight_norm[:, kernels].astype(np.float64) ** 2).sum(axis=1)
        )
    finite = sizes[np.isfinite(sizes) & (sizes > 0)]
    growth = float(finite[-1] / finite[0]) if len(finite) else math.nan
    # sampled steps are dense in the beginning: each stands for those up to the next
    gaps = np.diff(np.append(steps, max(run.record.trained_steps, steps[-1] + 1)))
    mean = float(np.average(ratio[known], weights=np.maximum(gaps[known], 1)))
    total = max(run.record.trained_steps, int(steps[-1]) + 1)
    return Movement(
        ratio=float(np.median(ratio[known])),
        first=float(np.max(ratio[known][:10])),
        path=mean * total,
        growth=growth,
        steps=total,
    )
