"""A model that does worse than simple predictors."""

from __future__ import annotations

import math
from typing import Any

from keras_dlbasic.diagnosis import Finding, Fine, Run, Skipped, Verdict, rule, suggest
from keras_dlbasic.diagnosis.outcome import NAMES


@rule(kind="symptom", needs=("skill",), live=False, per_output=True)
def underfitting(run: Run, *, share: float = 0.8, errors: float = 2.0) -> Verdict:
    """Compare the skill on training rows with simple predictors on unseen rows.

    A linear predictor and nearest neighbors are scored on rows that they were not
    fitted to (leave-one-out). A model that was trained on the rows should be better. So
    the rule needs no absolute threshold: it uses what can be reached on these data,
    including their noise.

    Args:
        run: The run.
        share: Maximum skill for a finding, as a share of the skill of the best simple
            predictor.
        errors: Minimum number of standard errors by which the model is worse. The
            standard error of a skill `s` on `n` rows is about `sqrt((1 - s**2) / n)`,
            as for two equal classes.
    """
    outcome = run.outcome
    if outcome.skill is None or outcome.reference is None:
        return Skipped(run.reasons.skill)
    rows = run.probe_rows or 20
    known = min(max(outcome.skill, 0.0), 1.0)
    error = math.sqrt((1 - known**2) / rows)
    least = outcome.reference - max((1 - share) * outcome.reference, errors * error)
    if outcome.skill < least:
        severity: Any = "critical" if outcome.learned is False else "warning"
        if outcome.reference_name == NAMES["components"] and severity == "warning":
            # A code may hold less than its units on purpose: quantized or with noise,
            # by a layer of the user's, or pulled to a prior by a term of the loss.
            if any(layer.kind in ("custom", "foreign") for layer in run.layers):
                return Fine(
                    f"skill {outcome.skill:.2f}; custom layers may pass on less than "
                    f"{outcome.reference_name} ({outcome.reference:.2f})"
                )
            if _has_terms(run):
                severity = "info"
        return Finding(
            severity=severity,
            message=(
                f"The model underfits: its skill on training samples is "
                f"{outcome.skill:.2f} (0: a constant prediction, 1: perfect), but "
                f"that of {outcome.reference_name} on unseen samples is "
                f"{outcome.reference:.2f}."
            ),
            value=outcome.skill,
            threshold=least,
            unit="skill",
            confidence=0.9,
            evidence={"reference": outcome.reference},
            remedies=(
                suggest.range_test("a wrong learning rate is the most common cause"),
                suggest.more_epochs(
                    "helps if the loss is still falling",
                    epochs=run.facts.epochs,
                ),
                suggest.larger_model("more units or layers can fit the data"),
            ),
        )
    return Fine(f"skill {outcome.skill:.2f}, simple predictors {outcome.reference:.2f}")


def _has_terms(run: Run) -> bool:
    """Return whether something besides the compiled loss is minimized.

    That is a penalty, or what the model adds by `add_loss`, which may be 0 before
    training.
    """
    probe = run.facts.probe
    added = () if probe is None else (probe.added_at_start, probe.added_at_end)
    return run.penalty > 0 or any(term for term in added)
