"""Advice of several findings that pulls in opposite directions."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from keras_dlbasic._arguments import is_number
from keras_dlbasic.diagnosis.finding import Finding
from keras_dlbasic.diagnosis.remedy_suggestion import RemedySuggestion
from keras_dlbasic.diagnosis.run import Run
from keras_dlbasic.diagnosis.skipped import Skipped

ABOUT = {
    "the learning rate": (
        "learning_rate_too_high",
        "learning_rate_too_low",
        "learning_rate_collapsed",
    ),
    "the batch size": ("batch_size_too_large", "batch_size_too_small"),
    "how much the model can fit": (
        "model_too_large",
        "model_too_small",
        "regularization_too_strong",
    ),
    "the number of epochs": ("stopped_too_early",),
    "clipping": ("clipping_too_tight",),
}
"""What advice can contradict itself about, and the rules that measure just that."""


def without_contradictions(findings: Sequence[Finding], run: Run) -> list[Finding]:
    """Return findings whose advice does not contradict that of a better one.

    A learning rate cannot be raised and lowered. The advice stands of the more severe
    finding; of equal ones, of that whose rule measures the thing itself, then of the
    first. The other advice becomes the last one of its finding, as an alternative.

    Args:
        findings: The findings, ordered as they are shown.
        run: The run that was judged.
    """
    ways = _decided(findings, run)
    return [
        replace(finding, remedies=tuple(_in_order(finding, ways, run)))
        if finding.rank and finding.remedies
        else finding
        for finding in findings
    ]


def _decided(findings: Sequence[Finding], run: Run) -> dict[str, tuple[int, str]]:
    """Return, by what advice is about, the direction and the finding that decides."""
    ways: dict[str, tuple[int, str]] = {}
    # sorted is stable: the order of the report decides among equals
    for finding in sorted(findings, key=lambda f: -f.rank):
        if not finding.rank:
            break
        for suggestion in finding.remedies:
            about, sign = _way(suggestion, run)
            if not sign:
                continue
            known = ways.get(about)
            if known is None or _is_closer(finding, known[1], about, findings):
                ways[about] = sign, finding.name
    return ways


def _is_closer(
    finding: Finding, holder: str, about: str, findings: Sequence[Finding]
) -> bool:
    """Return whether a finding, and not the one before, measures what advice is about.

    Only of findings that are as severe: the worse one stands.
    """
    before = next(f for f in findings if f.name == holder)
    is_direct = finding.name in ABOUT[about] and holder not in ABOUT[about]
    return is_direct and finding.rank == before.rank


def _in_order(
    finding: Finding, ways: dict[str, tuple[int, str]], run: Run
) -> Iterator[RemedySuggestion]:
    later = []
    for suggestion in finding.remedies:
        about, sign = _way(suggestion, run)
        decided, name = ways.get(about, (sign, ""))
        if not sign or sign == decided or name == finding.name:
            yield suggestion
        else:
            reason = f"{suggestion.reason}; an alternative to the advice of {name}"
            later.append(replace(suggestion, reason=reason))
    yield from later


def _way(suggestion: RemedySuggestion, run: Run) -> tuple[str, int]:
    """Return what a suggestion is about, and 1 for more of it or -1 for less.

    0 for one that cannot contradict another, as it changes nothing or nothing that
    others advise on.
    """
    given, name = suggestion.kwargs, suggestion.name
    if name == "change_learning_rate":
        now = run.record.learning_rate
        now = now[np.isfinite(now)]
        rate = given.get("learning_rate")
        if rate is not None and len(now) and now[-1] > 0:
            return "the learning rate", _sign(rate, float(now[-1]))
        return "the learning rate", _sign(given.get("factor"), 1.0)
    if name == "change_batch_size":
        try:
            return "the batch size", _sign(given.get("batch_size"), run.batch_size)
        except Skipped:
            return "", 0
    if name == "clip_gradients":
        return "clipping", _clips_more(given.get("global_clipnorm"), run)
    if name == "resize":
        # the default is that of `resize` itself
        return "how much the model can fit", _sign(given.get("width_factor", 2.0), 1.0)
    return _PLAIN.get(name or "", ("", 0))


def _sign(value: Any, base: float) -> int:
    """Return 1 if a value is larger than another, -1 if smaller, else 0."""
    # a rule of the user's may advise a schedule, or what the remedy cannot take
    if not is_number(value) or not math.isfinite(value):
        return 0
    # the rate of a record comes from single precision
    return int(np.sign(round(value / base - 1, 6)))


_PLAIN = {
    "add_dropout": ("how much the model can fit", -1),
    "add_penalty": ("how much the model can fit", -1),
    "remove_penalty": ("how much the model can fit", 1),
    "train_longer": ("the number of epochs", 1),
    "stop_early": ("the number of epochs", -1),
}
"""By the name of a remedy, what it is about and in which direction."""


def _clips_more(norm: Any, run: Run) -> int:
    bounds = ("global_clipnorm", "clipnorm", "clipvalue")
    config = run.facts.inner_optimizer
    present = next((config[b] for b in bounds if config.get(b)), None)
    return 1 if present is None or norm is None else -_sign(norm, present)
