"""Losses for which a constant is as good as the targets themselves."""

from __future__ import annotations

import numpy as np

from keras_dlbasic.diagnosis.finding import Finding
from keras_dlbasic.diagnosis.run import Run
from keras_dlbasic.diagnosis.suggest import by_hand
from keras_dlbasic.diagnosis.target_deviation import target_deviation
from keras_dlbasic.records.probe_facts import TruthFacts

NEARLY_SAME = 0.3
"""Predictions deviate by a smaller share of the targets' deviation if they are."""

BELOW_ZERO = by_hand(
    "y = 2 * y - 1",
    "a hinge or an exponential loss expects the labels -1 and 1: a label of 0 makes it "
    "the same for all predictions",
)
BOTH = by_hand(
    "check that the loss of a sample depends on its prediction for each kind of target",
    "samples whose loss never changes have no gradient",
)


def indifferent(run: Run, truth: TruthFacts) -> Finding | None:
    """Return a finding, a warning if predictions are nearly the same.

    Args:
        run: The run.
        truth: The losses of the targets and of constants, of the sense `"indifferent"`.
    """
    spread = run.probed("spread")
    deviation = target_deviation(run)
    if not len(spread) or not np.isfinite(spread[-1]) or not deviation > 0:
        return None
    kept = float(spread[-1]) / deviation
    is_same = kept < NEARLY_SAME
    seen = (
        "The predictions are nearly the same for all of them (they deviate by "
        f"{kept:.0%} of the targets' deviation)."
        if is_same
        else "The model tells them apart all the same."
    )
    return Finding(
        severity="warning" if is_same else "info",
        risk="critical" if is_same else None,
        message=(
            f"The loss is {truth.truth:.4g} if the output equals the targets and "
            f"{truth.edge:.4g} for a constant prediction, so nothing is "
            f"gained by telling samples apart. {seen}"
        ),
        value=truth.truth,
        threshold=truth.edge,
        unit="loss",
        confidence=0.85,
        evidence={**truth.to_dict(), "spread_kept": kept},
        remedies=(BELOW_ZERO, BOTH) if run.target.kind == "binary" else (BOTH,),
    )
