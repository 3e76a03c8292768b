"""Causes that fit equally well, and what would tell them apart."""

from __future__ import annotations

from collections.abc import Iterable

from keras_dlbasic.diagnosis.finding import Finding

MARGIN = 0.15
"""Confidences that differ by less do not say which cause it is."""

MAX_NAMED = 3


def rivals(findings: Iterable[Finding]) -> tuple[tuple[Finding, ...], ...]:
    """Return groups of causes none of which fits a symptom better than the others.

    A cause that is certain (without a `risk`) has no rivals.

    Args:
        findings: The findings of a diagnosis, ordered.
    """
    findings = list(findings)
    causes = {f.name: f for f in findings if f.kind == "cause" and f.rank}
    groups: dict[tuple[str, ...], None] = {}
    for symptom in findings:
        if not symptom.rank:
            continue
        fitting = [causes[name] for name in symptom.explained_by if name in causes]
        if len(fitting) < 2 or any(cause.risk is None for cause in fitting):
            continue
        # Rivals are as severe as the best one, and their confidence is not clearly
        # lower.
        best = max((cause.rank, cause.confidence) for cause in fitting)
        equal = [
            cause.name
            for cause in fitting
            if cause.rank == best[0] and cause.confidence > best[1] - MARGIN
        ]
        if len(equal) > 1:
            groups[tuple(equal[:MAX_NAMED])] = None
    return tuple(tuple(causes[name] for name in group) for group in groups)


def rivals_text(group: tuple[Finding, ...]) -> str:
    """Return that causes fit equally well, and what would tell them apart."""
    names = [cause.name for cause in group]
    tests = [f"for {cause.name}, {_test(cause)}" for cause in group]
    return (
        f"{', '.join(names[:-1])} and {names[-1]} explain this equally well. "
        f"To find out which it is, change one thing at a time: {'; '.join(tests)}."
    )


def _test(cause: Finding) -> str:
    if cause.told_apart_by:
        return cause.told_apart_by
    return cause.remedies[0].title if cause.remedies else "see its message"
