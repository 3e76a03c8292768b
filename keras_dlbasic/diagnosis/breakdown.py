"""Values that were lost in the middle of a run, and what came before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from keras_dlbasic.diagnosis.rates import update_ratio_of
from keras_dlbasic.diagnosis.run import Run

Lost = Literal["loss", "gradients", "all"]


@dataclass(frozen=True)
class Breakdown:
    """A run whose losses or gradients became NaN or infinite after its first step.

    What came before is that of the sampled steps before it, so the smaller `gap` is,
    the less can have happened unseen.

    Attributes:
        lost: `"loss"` if weights and gradients stayed finite all along, `"gradients"`
            if the loss of the same step was finite, else `"all"`.
        step: The first sampled step at which values were lost, 0-based.
        epoch: Its epoch.
        gap: Number of steps since the sampled step before it.
        layers: Labels of the layers whose gradients were lost at that step.
        update_ratio: Largest update-to-weight ratio of a step before, where kernels
            count as large as is usual at least.
        rise_of_loss: Largest loss of a batch before, over the first one.
        growth: Growth of the weights' norm before.
        jump: Largest norm of a gradient before, over the median.
    """

    lost: Lost
    step: int
    epoch: int
    gap: int
    layers: tuple[str, ...]
    update_ratio: float
    rise_of_loss: float
    growth: float
    jump: float

    def was_announced(
        self,
        *,
        ratio: float = 0.1,
        rise: float = 3.0,
        growth: float = 1.5,
        jump: float = 100.0,
    ) -> bool:
        """Return whether what came before shows that steps or gradients were too large.

        Values overflow only after something has grown. An operation that is not defined
        for a number, as a logarithm of zero, loses them at once.

        Args:
            ratio: Update-to-weight ratio that counts. Defaults to `0.1`.
            rise: Rise of the loss that counts. Defaults to `3.0`.
            growth: Growth of the weights that counts. Defaults to `1.5`.
            jump: Gradient over the median that counts. Defaults to `100.0`.
        """
        signs = {
            self.update_ratio: ratio,
            self.rise_of_loss: rise,
            self.growth: growth,
            self.jump: jump,
        }
        return any(value > limit for value, limit in signs.items())


def breakdown_of(run: Run) -> Breakdown | None:
    """Return how values were lost after the first step; None if they were not.

    Args:
        run: The run.
    """
    record = run.record
    if not len(record.steps) or record.steps[0] != 0:
        return None
    broken = (record.non_finite.sum(axis=1) > 0) & ~record.skipped
    if broken.any():
        row = int(np.argmax(broken))
        lost: Lost = "gradients" if np.isfinite(record.batch_loss[row]) else "all"
        # a run that is not finite from its first step on was not lost on its way
        return _before(run, row, lost) if row else None
    if not len(run.loss) or not np.isnan(run.loss[-1]):
        return None
    if not np.isfinite(record.weight_norm).all():
        return None
    # a loss that was not recorded is NaN as well, but not in every sampled step
    finite = np.isfinite(record.batch_loss)
    row = int(np.argmin(finite)) if not finite.all() else len(finite) - 1
    return _before(run, row, "loss")


def _before(run: Run, row: int, lost: Lost) -> Breakdown:
    """Measure what came before a row; of a loss alone, over the whole run."""
    record = run.record
    # If only the loss was lost, the weights went on as before. So all steps show
    # whether they had grown.
    until = len(record.steps) if lost == "loss" else row
    ratios = update_ratio_of(record, of_usual_size=True)[:until]
    losses = record.batch_loss[:row]
    losses = losses[np.isfinite(losses)]
    weights = np.sqrt((record.weight_norm.astype(np.float64) ** 2).sum(axis=1))
    norms = record.global_gradient_norm[:row]
    counts = record.by_layer("non_finite")[row]
    named = zip(record.layers, counts, strict=True)
    start = abs(losses[0]) if len(losses) else 0.0
    last = int(record.steps[row - 1]) if row else 0
    return Breakdown(
        lost=lost,
        step=int(record.steps[row]),
        epoch=int(record.step_epochs[row]),
        gap=int(record.steps[row]) - last,
        layers=tuple(layer for layer, count in named if count),
        update_ratio=_largest(ratios),
        rise_of_loss=_largest(losses / start) if start else 0.0,
        growth=_largest(weights[:until] / weights[0]),
        jump=_largest(norms / np.median(norms)) if len(norms) else 0.0,
    )


def _largest(values: np.ndarray) -> float:
    finite = values[np.isfinite(values)]
    return float(finite.max()) if len(finite) else 0.0
