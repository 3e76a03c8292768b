"""What can be said for sure of a run that has only begun."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from keras_dlbasic._display import wrapped
from keras_dlbasic.diagnosis.diagnose import diagnose
from keras_dlbasic.diagnosis.finding import Finding
from keras_dlbasic.diagnosis.per_output import verdicts_of
from keras_dlbasic.diagnosis.registry import all_rules
from keras_dlbasic.diagnosis.rule import Rule
from keras_dlbasic.diagnosis.run import Run
from keras_dlbasic.records import TrainingRecord

BLOCKED = ("vanishing_gradients", "zero_gradients", "saturated_units")
"""Symptoms that say why the answer does not depend on the inputs."""

SAME = "constant_predictions"

SURE = 0.85


def early_word(
    record: TrainingRecord, rules: Iterable[Rule] | None = None
) -> str | None:
    """Return what keeps a model from learning, if that is plain after a few epochs.

    Most verdicts have to wait: a slow start is no failure. But where the model gives
    the same answer to all inputs, and nothing of the loss reaches its first layers,
    more epochs change little. So this asks for a cause that explains both.

    Args:
        record: A run that goes on.
        rules: As for `diagnose`.

    Returns:
        A message; None if nothing is that plain.

    Example:
    >>> from keras_dlbasic.diagnosis.early_word import early_word
    >>> from keras_dlbasic.records import TrainingRecord
    >>> early_word(TrainingRecord.from_history({"loss": [2.3, 2.3]})) is None
    True
    """
    rules = None if rules is None else tuple(rules)
    if not _gives_one_answer(record, rules):
        return None
    diagnosis = diagnose(record, rules=rules)
    for cause in diagnosis.causes:
        if cause.severity != "critical" or cause.confidence < SURE:
            continue
        below = {symptom.name: symptom for symptom in diagnosis.symptoms_of(cause)}
        blocked = [below[name] for name in BLOCKED if name in below]
        if SAME not in below or not blocked:
            continue
        epochs = len(record.epochs.get("epoch", ()))
        return wrapped(
            f"After {epochs} epochs the predictions are nearly the same for all "
            f"inputs. Cause: {cause.name} ({', '.join(s.name for s in blocked)}). "
            "More epochs will hardly help; what to try follows at the end."
        )
    return None


def _gives_one_answer(record: TrainingRecord, rules: Iterable[Rule] | None) -> bool:
    """Return whether one of the symptoms may be there, without which nothing is plain.

    One rule costs a fraction of what all do, and this is asked after each look.
    """
    chosen = all_rules() if rules is None else rules
    same = next((one for one in chosen if one.name == SAME), None)
    if same is None:
        return False
    try:
        with np.errstate(all="ignore"):
            found = verdicts_of(same, Run(record), {})
    except Exception:  # of the user's: `diagnose` goes on without it
        return True
    return same.last or any(isinstance(verdict, Finding) for verdict in found)
