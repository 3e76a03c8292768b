"""Whether a remedy helped: pure functions of the trials with and without it."""

from __future__ import annotations

import json
import math

import numpy as np

from keras_dlbasic.diagnosis import Diagnosis, Finding
from keras_dlbasic.records import TrialResult

CLEAR = 0.1
"""A difference in skill that one seed is enough for; less is, if the finding went away
with it."""

LEAST_GAIN = 0.01
"""Smaller differences in skill are not worth a remedy."""

CERTAIN = 0.95
"""Confidence from which a cause is repaired even if another one hides the gain."""

STANDS_STILL = ("plateau", "constant_predictions")

CLEAR_FALL = 0.2
"""Relative fall of the training loss within a short trial that is no noise."""

STANDS_BACK = (
    *STANDS_STILL,
    "too_few_updates",
    "batch_size_too_large",
    "learning_rate_too_low",
    "slow_convergence",
    "underfitting",
    "vanishing_gradients",
)
"""Findings whose remedies are to make the loss fall faster."""

LEAST_FALL, TIMES_THE_FALL = 0.02, 3.0
"""The training loss falls faster if it does so by more than that share of its first
value and by this many times what it fell without the remedy."""


def judge(
    gains: list[float], finding: Finding, old: TrialResult, new: TrialResult
) -> tuple[bool, str]:
    """Return whether to keep a remedy after its short trials, and why.

    Args:
        gains: Gains in skill, one a seed.
        finding: What the remedy is tried against.
        old: The trial without it, of the first seed.
        new: The trial with it, of the first seed.
    """
    is_kept, note = helped(gains, finding, diagnosis_of(old), diagnosis_of(new))
    if is_kept:
        return True, note
    # worse than a constant prediction, one skill is no better than another
    neither_learns = max(score_of(old), score_of(new)) <= 0
    is_sure = is_certain(finding) and is_gone(finding, diagnosis_of(new))
    if neither_learns and is_sure:
        return True, f"{finding.name} is gone, and neither run has learned so far"
    # a short trial may end before any skill shows
    if came_alive(finding, old, new):
        return True, f"it learns now, {note} so far"
    if falls_faster(finding, old, new) and np.mean(gains) > -CLEAR:
        return True, f"the loss falls faster, {note} so far"
    return False, note


def is_certain(finding: Finding) -> bool:
    """Return whether a finding is a cause that is beyond doubt."""
    return finding.kind == "cause" and finding.confidence >= CERTAIN


def helped(
    gains: list[float], finding: Finding, before: Diagnosis, after: Diagnosis
) -> tuple[bool, str]:
    """Judge a remedy by its gains in skill and by what is found with it.

    Args:
        gains: Gains in skill, one a seed.
        finding: What the remedy is tried against.
        before: What was found without it.
        after: What is found with it.
    """
    # The seeds are paired: each gain is with and without the remedy from the same seed.
    # With one seed no noise can be estimated, and `LEAST_GAIN` alone decides.
    gain = float(np.mean(gains))
    noise = float(np.std(gains, ddof=1)) / math.sqrt(len(gains)) if gains[1:] else 0.0
    text = f"skill {gain:+.3f}"
    if len(gains) > 1:
        text += f" (noise {noise:.3f}, {len(gains)} seeds)"
    if gain > max(noise, LEAST_GAIN):
        return True, text
    if is_repaired(finding, before, after) and gain >= -max(noise, LEAST_GAIN):
        return True, f"{finding.name} is gone, {text}"
    return False, text


def is_repaired(finding: Finding, before: Diagnosis, after: Diagnosis) -> bool:
    """Return whether a finding is gone, and this is a difference.

    A cause that is not certain, such as large batches, is gone as soon as the batch
    size is another one. That counts only if one of its symptoms is gone, too.
    """
    if not is_gone(finding, after):
        return False
    if finding.kind == "symptom" or is_certain(finding):
        return True
    left = {found.name for found in after.at_least("warning")}
    shown = {found.name for found in before.at_least("warning")}
    return bool((set(finding.explains) & shown) - left)


def is_clear(
    gains: list[float], finding: Finding, old: TrialResult, new: TrialResult
) -> bool:
    """Return whether short trials need no other seed to tell if a remedy helped.

    Args:
        gains: Gains in skill so far, one a seed.
        finding: What the remedy is tried against.
        old: The last trial without it.
        new: The last trial with it.
    """
    # with the cause gone a short trial need not show a gain yet, only no loss
    least = -LEAST_GAIN if finding.kind == "cause" else LEAST_GAIN
    return (
        abs(float(np.mean(gains))) > CLEAR
        or (
            is_repaired(finding, diagnosis_of(old), diagnosis_of(new))
            and gains[-1] >= least
        )
        or falls_faster(finding, old, new)
    )


def is_gone(finding: Finding, after: Diagnosis) -> bool:
    """Return whether a finding was looked for and not found any more, or less badly."""
    names = {found.name for found in after.at_least(finding.severity)}
    return finding.name not in names and finding.name not in after.skipped


def beyond_us(diagnosis: Diagnosis) -> set[str]:
    """Return what follows from what only the user can fix, such as NaN in the data.

    That is its symptoms, and other causes that were found for these symptoms alone.
    """
    # NaN in the data explains a loss that is NaN, dead units and more, and a second
    # cause may claim the same symptoms. To try remedies for these would be to spend the
    # budget on a run that cannot be fixed here.
    causes = [found for found in diagnosis.at_least("warning") if found.kind == "cause"]
    explained = {
        cause.name: {symptom.name for symptom in diagnosis.symptoms_of(cause)}
        for cause in causes
    }
    beyond = {
        cause.name
        for cause in causes
        if cause.severity == "critical" and all(r.name is None for r in cause.remedies)
    }
    symptoms = set().union(*(explained[name] for name in beyond))
    others = {name for name, names in explained.items() if names and names <= symptoms}
    return symptoms | (others - beyond)


def came_alive(finding: Finding, old: TrialResult, new: TrialResult) -> bool:
    """Return whether a run that was stuck learns now, however far it has come.

    A model whose weights were all zero answers a constant, the best there is without
    learning; random weights are worse than that before they are better.
    """
    before, after = diagnosis_of(old).names, diagnosis_of(new).names
    return (
        any(name in before for name in STANDS_STILL)
        and not any(name in after for name in (*STANDS_STILL, finding.name))
        and float(new.values.get("fall", 0.0)) > CLEAR_FALL
    )


def falls_faster(finding: Finding, old: TrialResult, new: TrialResult) -> bool:
    """Return whether a run that is too slow has become much faster.

    In a short trial of a slow run no skill may show with or without the remedy, while
    the loss on the training rows tells clearly. Falls are shares of the loss at which
    the run without the remedy began: beginning higher is no merit.
    """
    # A cause such as unscaled targets is not slow itself. It may be judged by the loss
    # as well where it explains what is slow, and the run was stuck.
    held_back = {finding.name} & set(STANDS_BACK)
    if any(name in diagnosis_of(old).names for name in STANDS_STILL):
        held_back |= set(finding.explains) & set(STANDS_BACK)
    if not held_back:
        return False
    before, after = _falls(old, new)
    return after > max(LEAST_FALL, TIMES_THE_FALL * before)


def progress(old: TrialResult, new: TrialResult) -> float:
    """Return how much more a run comes to: in skill, and in training loss."""
    before, after = _falls(old, new)
    gain = score_of(new) - score_of(old)
    return gain + (after - before if math.isfinite(after - before) else 0.0)


def _falls(old: TrialResult, new: TrialResult) -> tuple[float, float]:
    """Return the falls of the training loss, as shares of where `old` began."""
    start = float(old.values.get("first_loss", math.nan))
    if not 0 < start < math.inf:
        return math.nan, math.nan
    last = [float(r.values.get("last_loss", math.inf)) for r in (old, new)]
    before, after = (1.0 - loss / start for loss in last)
    return before, after


def diagnosis_of(result: TrialResult) -> Diagnosis:
    """Return what was found in a trial; nothing in one that failed."""
    text = result.values.get("diagnosis")
    return Diagnosis.from_dict(json.loads(text)) if text else Diagnosis()


def score_of(result: TrialResult) -> float:
    """Return the skill that a trial came to, to be compared; -1 if it failed."""
    return comparable(float(result.values.get("score", -1.0)))


def comparable(skill: float) -> float:
    """Return a skill of which differences mean something.

    Far below 0 all are as bad: it is cut at -1. Where there is none, differences are 0
    and a remedy is judged by what is found with it.
    """
    return 0.0 if math.isnan(skill) else max(-1.0, skill)
