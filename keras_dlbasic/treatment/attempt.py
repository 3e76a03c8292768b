"""What short trials with a remedy came to."""

from __future__ import annotations

from dataclasses import dataclass, replace

from keras_dlbasic.diagnosis import Finding, RemedySuggestion
from keras_dlbasic.treatment.plan import Plan


@dataclass(frozen=True)
class Attempt:
    """A remedy compared with the same plan without it.

    Attributes:
        finding: What it was tried against.
        remedy: The remedy.
        plan: The plan with it.
        before: Skill without it.
        after: Skill with it.
        kept: Whether it helped.
        note: Why it is kept, or not.
        progress: See `judging.progress`.
    """

    finding: Finding
    remedy: RemedySuggestion
    plan: Plan
    before: float
    after: float
    kept: bool
    note: str
    progress: float


def better_first(first: Attempt, second: Attempt) -> tuple[Attempt, Attempt]:
    """Return the one of two attempts to keep, and the other, which is not.

    Args:
        first: One that helped.
        second: Another against the same finding.
    """
    better, other = first, second
    if second.kept and second.progress > first.progress:
        better, other = second, first
    note = f"{other.note}; {better.remedy.title} brings more"
    return better, replace(other, kept=False, note=note)
