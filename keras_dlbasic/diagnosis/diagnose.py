"""From a record to named problems."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from inspect import signature
from typing import Any

import numpy as np

from keras_dlbasic.diagnosis.diagnosis import Diagnosis
from keras_dlbasic.diagnosis.finding import SEVERITIES, Finding
from keras_dlbasic.diagnosis.rule import Found, Rule, Skipped, all_rules
from keras_dlbasic.diagnosis.run import Run
from keras_dlbasic.records import TrainingRecord

NOT_YET = "judged when the run is over"

FAILED = "the record is not as this check expects it"

LIKELY = 0.8
"""Before training, what may do harm is a warning from this confidence on."""


def diagnose(
    record: TrainingRecord,
    *,
    live: bool = False,
    rules: Iterable[Rule] | None = None,
    thresholds: dict[str, dict[str, Any]] | None = None,
) -> Diagnosis:
    """Say what is wrong with a run, from what was recorded of it.

    Each rule judges the record by itself. Then symptoms are put under the causes that
    can have brought them about; and causes that may or may not do harm, such as inputs
    that are not scaled, count only where they explain a symptom that was found. A rule
    of the package that fails, since a record made by hand is not as it expects, is
    skipped with the reason.

    Args:
        record: What was recorded. The more, the more can be judged: `TrainingDoctor`
            records all that the rules ask for, a table of epochs has curves only.
        live: Whether the run goes on, so that what it comes to cannot be judged yet.
            Defaults to `False`.
        rules: The rules to apply. Defaults to None: all.
        thresholds: Other thresholds than the default: keyword arguments by name of the
            rule, as in `{"dead_units": {"most": 0.9}}`. Defaults to None.

    Returns:
        The `Diagnosis`.

    Raises:
        TypeError: If `record` is no `TrainingRecord`.
        ValueError: If `thresholds` names no rule, or no threshold of a rule.

    Example:
    >>> import numpy as np
    >>> import keras_dlbasic as kd
    >>> record = kd.records.TrainingRecord.from_history({"loss": [0.7, np.nan, np.nan]})
    >>> kd.diagnose(record).names
    ('non_finite_values',)
    """
    if not isinstance(record, TrainingRecord):
        raise TypeError(
            "`record` must be a `TrainingRecord`. Received an object of type "
            f"{type(record).__name__}. `TrainingRecord.from_history(history)` and "
            "`TrainingRecord.from_csv(path)` make one."
        )
    return _conclude(Run(record, live=live), _chosen(rules, thresholds))


def diagnose_plan(
    record: TrainingRecord, *, thresholds: dict[str, dict[str, Any]] | None = None
) -> Diagnosis:
    """Judge a model and its data before the first step.

    Only causes are judged. One that may do harm counts as a warning, unless its rule is
    not sure that it will.

    Args:
        record: A record without steps and epochs, with the facts of the model, the data
            and the planned run, and what the probe says before training.
        thresholds: As for `diagnose`.

    Returns:
        The `Diagnosis`.
    """
    chosen = [c for c in _chosen(None, thresholds) if c[0].kind == "cause"]
    return _conclude(Run(record, planned=True), chosen)


Chosen = list[tuple[Rule, dict[str, Any]]]


def _chosen(rules: Iterable[Rule] | None, thresholds: Any) -> Chosen:
    chosen = tuple(all_rules() if rules is None else rules)
    unknown = set(thresholds or {}) - {rule.name for rule in chosen}
    if unknown:
        raise ValueError(
            f"`thresholds` names no rule: {sorted(unknown)}. The rules are "
            f"{[rule.name for rule in chosen]}."
        )
    given = [(rule, dict((thresholds or {}).get(rule.name, {}))) for rule in chosen]
    for rule, named in given:
        parameters = signature(rule.function)
        try:
            parameters.bind_partial(None, **named)
        except TypeError as error:
            raise ValueError(
                f"`thresholds[{rule.name!r}]` must be keyword arguments of the rule, "
                f"{parameters}. Received: {sorted(named)}"
            ) from error
    return given


def _conclude(run: Run, chosen: Chosen) -> Diagnosis:
    found: list[tuple[Rule, Found]] = []
    fine: dict[str, str] = {}
    skipped: dict[str, str] = {}
    for rule, thresholds in chosen:
        if run.live and not rule.live:
            skipped[rule.name] = NOT_YET
            continue
        try:
            with np.errstate(all="ignore"):  # records may hold anything
                judged = rule(run, **thresholds)
        except Skipped as reason:
            skipped[rule.name] = str(reason)
            continue
        except Exception as error:  # the other rules may do with what is there
            if thresholds or not rule.is_own:
                raise
            skipped[rule.name] = f"{FAILED} ({type(error).__name__}: {error})"
            continue
        if isinstance(judged, Found):
            found.append((rule, judged))
        else:
            fine[rule.name] = judged
    findings = _joined(found, planned=run.is_planned)
    silent = {f.message for _, f in found if not f.note}
    for finding in findings:
        # a trait that does no harm here changes nothing for the reader
        if not finding.rank and finding.message in silent:
            fine[finding.name] = finding.message
    return Diagnosis(
        [finding for finding in findings if finding.name not in fine],
        fine,
        skipped,
        outcome="" if run.live or run.is_planned else _outcome(run),
        record=run.record,
    )


def _outcome(run: Run) -> str:
    try:
        return run.outcome.text
    except Exception:  # as the rules say that need it
        return ""


def _joined(found: list[tuple[Rule, Found]], *, planned: bool) -> list[Finding]:
    """Put symptoms under their causes, and order all."""
    symptoms = [rule.finding(f) for rule, f in found if rule.kind == "symptom"]
    judged = [(rule.finding(f), f) for rule, f in found if rule.kind == "cause"]
    sure = {
        name
        for cause, f in judged
        if f.risk is None and cause.severity == "critical"
        for name in cause.explains
    }
    causes = [
        _weighed(cause, f, symptoms, sure, planned=planned) for cause, f in judged
    ]
    causes.sort(key=lambda cause: (-cause.rank, -cause.confidence))
    explained = []
    for symptom in symptoms:
        by = tuple(
            c.name
            for c in causes
            if symptom.name in c.explains and c.rank >= min(1, symptom.rank)
        )
        explained.append(replace(symptom, explained_by=by))
    explained.sort(key=lambda s: (-s.rank, bool(s.explained_by), -s.confidence))
    return [*causes, *explained]


def _weighed(
    cause: Finding,
    found: Found,
    symptoms: list[Finding],
    sure: set[str],
    *,
    planned: bool,
) -> Finding:
    """Give a cause that may do harm its severity, by the harm that was found.

    Symptoms in `sure` have a cause that is beyond doubt; for others they are no more
    than a warning.
    """
    if found.risk is None:
        return cause
    if planned:
        harm = SEVERITIES.index("warning") if cause.confidence >= LIKELY else 0
    else:
        harm = max(
            (
                min(s.rank, 1) if s.name in sure else s.rank
                for s in symptoms
                if s.name in cause.explains
            ),
            default=0,
        )
    rank = max(cause.rank, min(harm, SEVERITIES.index(found.risk)))
    return replace(cause, severity=SEVERITIES[rank])
