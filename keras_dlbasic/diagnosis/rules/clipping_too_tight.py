"""Gradients that are clipped to next to nothing at every step."""

from __future__ import annotations

import numpy as np

from keras_dlbasic.diagnosis import Finding, Fine, Run, Skipped, Verdict, rule, suggest
from keras_dlbasic.diagnosis.symptoms import NOT_LEARNING

PLAIN = ("SGD",)
"""Optimizers whose step is as long as the gradient; adaptive ones scale it anew."""


@rule(kind="cause", explains=NOT_LEARNING, needs=("gradients",), live=False)
def clipping_too_tight(
    run: Run, *, factor: float = 0.02, share: float = 0.9
) -> Verdict:
    """Look for clipping that shortens nearly all steps, not only a few.

    Args:
        run: The run.
        factor: Maximum clip factor for a finding.
        share: Minimum share of the sampled steps with such a factor.
    """
    if run.facts.inner_optimizer_name not in PLAIN:
        return Fine("the optimizer rescales gradients, or does not clip")
    factors = run.record.clip_factor[run.clean]
    known = np.isfinite(factors).any(axis=1)
    if known.sum() < 3:
        return Skipped("needs three sampled steps with finite gradients")
    # What clipping typically leaves of a variable's gradient, step by step.
    left = np.nanmedian(factors[known], axis=1)
    value = float((left <= factor).mean())
    if value < share:
        return Fine(f"{value:.0%} of the steps are clipped to {factor:.0%} or less")
    typical = float(np.median(left))
    return Finding(
        severity="info",
        message=(
            f"Gradient clipping cuts the gradient to {typical:.1%} of its norm at "
            "nearly every step. Its effect is that of a learning rate "
            f"{1 / max(typical, 1e-12):.0f} times lower."
        ),
        risk="critical",
        value=typical,
        threshold=factor,
        unit="share of the gradient",
        confidence=0.85,
        remedies=(
            suggest.optimizer("its step size does not depend on the gradient norm"),
            suggest.gradient_clipping(
                "a higher threshold gives longer steps; raise it further if that helps",
                norm=_bound(run, typical),
            ),
        ),
    )


def _bound(run: Run, typical: float) -> float:
    """Return ten times the present bound, to one digit: more may be too much at once.

    Args:
        run: The run.
        typical: What the present bound leaves of the gradient.
    """
    norms = run.record.global_gradient_norm[run.clean]
    present = typical * float(np.median(norms)) if len(norms) else 0.1
    return float(f"{max(10 * present, 1e-6):.0e}")
