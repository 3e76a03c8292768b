"""Short steps that what was seen before any step explains."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from keras_dlbasic.diagnosis.finding import SEVERITIES, Finding
from keras_dlbasic.diagnosis.rates import is_adaptive
from keras_dlbasic.diagnosis.run import Run
from keras_dlbasic.diagnosis.skipped import Skipped

SHORT = "learning_rate_too_low"

SEEN_BEFORE = (
    "attention_saturated",
    "exploding_activations",
    "output_activation_mismatch",
    "poor_initialization",
    "saturating_activations",
    "unscaled_inputs",
    "unscaled_targets",
)
"""Causes with evidence before any step, which leave next to no gradient."""

FULL = 1e-3
"""First steps up to this share of the weights are short by the rate of such a one."""

AFTER = 0.05


def after_the_start(causes: Sequence[Finding], run: Run) -> list[Finding]:
    """Return causes, with a rate that is too low below what was seen before any step.

    Weights that are far too small, or units that are saturated from the start, pass on
    next to no gradient. Steps are short then at any usual rate, and say nothing of it.
    An adaptive optimizer divides by the size of the gradient: if its first steps are
    short already, the rate is too low by itself.

    Args:
        causes: The causes, weighed by the symptoms that were found.
        run: The run.
    """
    seen = [cause for cause in causes if cause.name in SEEN_BEFORE and cause.rank]
    if not seen or _is_low_by_itself(run):
        return list(causes)
    best = max(seen, key=lambda cause: (cause.rank, cause.confidence))
    return [
        replace(
            cause,
            severity=SEVERITIES[min(cause.rank, best.rank)],
            confidence=min(cause.confidence, max(best.confidence - AFTER, 0.0)),
        )
        if cause.name == SHORT
        else cause
        for cause in causes
    ]


def _is_low_by_itself(run: Run) -> bool:
    """Return whether the first steps of an adaptive optimizer are short already."""
    if not is_adaptive(run.facts.inner_optimizer_name):
        return False
    try:
        return run.movement.first < FULL
    except Skipped:
        return False
