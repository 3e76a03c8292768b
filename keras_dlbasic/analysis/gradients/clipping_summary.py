"""How often and how hard a run clipped its gradients."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from keras_dlbasic._display import Displayed, wrapped
from keras_dlbasic._wrong_arguments import names_nearest
from keras_dlbasic.records import TrainingRecord

CUT = 0.9999
"""A factor below this is a cut and not rounding."""


@names_nearest
@dataclass(frozen=True, repr=False)
class ClippingSummary(Displayed):
    """How a variable, or the whole gradient, was clipped over the measured steps.

    Attributes:
        name: Path of the variable, or `"all variables"`.
        share_cut: Share of the measured steps at which it was clipped.
        median_factor: Median of (norm after / norm before) over those steps; 1.0 if
            there are none.
        hardest_factor: The smallest such factor; 1.0 if there are none.

    Example:
    >>> import keras_dlbasic as kd
    >>> row = kd.analysis.ClippingSummary("all variables", 0.2, 0.5, 0.1)
    >>> f"{row.share_cut:.0%} of the steps cut, to {row.median_factor:.0%} of the norm"
    '20% of the steps cut, to 50% of the norm'
    """

    name: str
    share_cut: float
    median_factor: float
    hardest_factor: float

    def __str__(self) -> str:
        if not self.share_cut:
            return wrapped(f"{self.name}: not clipped in any measured step")
        return wrapped(
            f"{self.name}: clipped in {self.share_cut:.0%} of the measured steps, by a "
            f"median factor of {self.median_factor:.2g} (smallest: "
            f"{self.hardest_factor:.2g})"
        )


@names_nearest
def clipping_summary(record: TrainingRecord) -> list[ClippingSummary]:
    """Return how often and how strongly gradients were clipped.

    `clipnorm` clips each variable separately, which changes the direction of the whole
    gradient. `clipvalue` clips each entry, which changes the direction more.
    `global_clipnorm` scales the whole gradient and keeps its direction.

    Args:
        record: The record of a run.

    Returns:
        A list: first the whole gradient, then each variable. Empty if nothing was
        measured.

    Example:
    >>> import keras_dlbasic as kd
    >>> kd.analysis.clipping_summary(kd.records.TrainingRecord())
    []
    """
    usable = ~record.skipped & (record.non_finite.sum(axis=1) == 0)
    factors = record.clip_factor[usable].astype(np.float64)
    norms = record.gradient_norm[usable].astype(np.float64)
    if not factors.size:
        return []
    known = np.isfinite(factors) & np.isfinite(norms)
    # Under `clipnorm` and `clipvalue` each variable has its own factor. What became of
    # the whole gradient is known from its norm, after and before.
    before = np.sqrt(np.sum(np.where(known, norms, 0.0) ** 2, axis=1))
    after = np.sqrt(np.sum(np.where(known, norms * factors, 0.0) ** 2, axis=1))
    whole = np.where(before > 0, after / np.where(before > 0, before, 1.0), 1.0)
    summaries = [_summary("all variables", whole)]
    for column, variable in enumerate(record.variables):
        values = factors[np.isfinite(factors[:, column]), column]
        summaries.append(_summary(variable.path, values))
    return summaries


def _summary(name: str, factors: np.ndarray) -> ClippingSummary:
    cut = factors[factors < CUT]
    if not len(cut):
        return ClippingSummary(name, 0.0, 1.0, 1.0)
    share = len(cut) / len(factors)
    return ClippingSummary(name, share, float(np.median(cut)), float(cut.min()))
