"""Which findings short trials are to fix, and in which order."""

from __future__ import annotations

from collections.abc import Iterable

from keras_dlbasic.diagnosis import Diagnosis, Finding
from keras_dlbasic.treatment.judging import CLEAR, beyond_us

TOO_SHORT = ("too_few_updates", "slow_convergence", "underfitting", "model_too_small")
"""What a short trial of a model that learns shows because it is short; `preflight` and
the whole training tell whether that is so."""


def worth_trying(
    before: Diagnosis | None, short: Diagnosis, score: float
) -> list[Finding]:
    """Return what a short trial may fix: what is known before it, then what it shows.

    Args:
        before: What `preflight` found; None if it could not be asked.
        short: What was found in a short trial without a further remedy.
        score: The skill that this trial came to.
    """
    passed_over = beyond_us(short)
    if score > CLEAR:
        passed_over |= set(TOO_SHORT)
    return [
        *_causes_first(before.at_least("warning") if before else ()),
        *(
            finding
            for finding in _causes_first(short.at_least("warning"))
            if finding.name not in passed_over
        ),
    ]


def _causes_first(findings: Iterable[Finding]) -> list[Finding]:
    """Return causes before symptoms: once a cause is gone, so are its symptoms."""
    return sorted(findings, key=lambda finding: finding.kind == "symptom")
