"""From a record to named problems."""

from __future__ import annotations

import traceback
import warnings
from collections.abc import Iterable
from dataclasses import replace
from itertools import chain
from numbers import Real
from os import PathLike
from typing import Any

import numpy as np

from keras_dlbasic._nearest import nearest
from keras_dlbasic._wrong_arguments import names_nearest
from keras_dlbasic.diagnosis.after_the_start import after_the_start
from keras_dlbasic.diagnosis.contradictions import without_contradictions
from keras_dlbasic.diagnosis.coverage import Coverage
from keras_dlbasic.diagnosis.diagnosis import Diagnosis
from keras_dlbasic.diagnosis.finding import SEVERITIES, Finding
from keras_dlbasic.diagnosis.fine import Fine
from keras_dlbasic.diagnosis.per_output import verdicts_of
from keras_dlbasic.diagnosis.registry import all_rules, checked_rules, symptoms_by_cause
from keras_dlbasic.diagnosis.rule import Rule
from keras_dlbasic.diagnosis.run import Run
from keras_dlbasic.diagnosis.skipped import Skipped
from keras_dlbasic.diagnosis.still_curves import too_short
from keras_dlbasic.diagnosis.verdict import Verdict
from keras_dlbasic.records import TrainingRecord

NOT_YET = "judged when the run is over"

FAILED = "the record does not have the form that this check expects"

FAILED_RULE = "this rule failed"

LIKELY = 0.8
"""Before training, what may do harm is a warning from this confidence on."""


@names_nearest
def diagnose(
    record: TrainingRecord,
    *,
    live: bool = False,
    rules: Iterable[Rule] | None = None,
    thresholds: dict[str, dict[str, Any]] | None = None,
) -> Diagnosis:
    """Find out what is wrong with a run from its record.

    Each rule judges the record independently. Then symptoms are assigned to the causes
    that may explain them. Causes that may be harmless, such as unscaled inputs, count
    only if they explain a symptom that was found. A rule that raises an error is
    skipped with a warning; its traceback is in `Diagnosis.skipped`. The other rules
    still run.

    Args:
        record: The record. `TrainingDoctor` records everything that the rules use; a
            table of epochs has curves only, so fewer rules can run.
        live: Whether the run is still going on, so that its result cannot be judged
            yet. Defaults to `False`.
        rules: The rules to apply, made by `@rule`. Defaults to None: `all_rules()`.
        thresholds: Thresholds that differ from the defaults: keyword arguments by name
            of the rule, as in `{"dead_units": {"most": 0.9}}`. Defaults to None.

    Returns:
        The `Diagnosis`.

    Raises:
        TypeError: If `record` is no `TrainingRecord`, if `rules` contains something
            other than rules, or if a threshold is not a number although its default is
            one.
        ValueError: If `thresholds` names an unknown rule or threshold, if two rules
            have the same name, or if a rule names an unknown symptom or cause.

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
            f"{type(record).__name__}. {_way(record)}"
        )
    return _conclude(Run(record, live=live), _chosen(rules, thresholds))


def _way(given: Any) -> str:
    """Return how to come to a record from what was given in its place."""
    if isinstance(given, Diagnosis):
        return "This is a diagnosis already: print it."
    if hasattr(type(given), "record"):  # a callback
        return "Give its `record`."
    if isinstance(given, (str, PathLike)):
        return (
            "`TrainingRecord.load(path)` reads a record, `TrainingRecord.from_csv` a "
            "table; `kd.explain(path)` does either, and judges it."
        )
    return (
        "`TrainingRecord.from_history(history)` and `TrainingRecord.from_csv(path)` "
        "make one."
    )


def diagnose_plan(
    record: TrainingRecord,
    *,
    rules: Iterable[Rule] | None = None,
    thresholds: dict[str, dict[str, Any]] | None = None,
) -> Diagnosis:
    """Judge a model and its data before the first step.

    Only causes are judged. One that may do harm counts as a warning, unless its rule is
    not sure that it will.

    Args:
        record: A record without steps and epochs, with the facts of the model, the data
            and the planned run, and what the probe says before training.
        rules: As for `diagnose`.
        thresholds: As for `diagnose`.

    Returns:
        The `Diagnosis`.
    """
    chosen = [c for c in _chosen(rules, thresholds) if c[0].kind == "cause"]
    return _conclude(Run(record, planned=True), chosen)


Chosen = list[tuple[Rule, dict[str, Any]]]


def _chosen(rules: Iterable[Rule] | None, thresholds: Any) -> Chosen:
    chosen = all_rules() if rules is None else checked_rules(rules)
    given = dict(thresholds or {})
    names = [rule.name for rule in chosen]
    unknown = sorted(set(given) - set(names))
    if unknown:
        raise ValueError(
            f"`thresholds` names no rule: {unknown}. {nearest(unknown[0], names)}"
        )
    for rule in chosen:
        if rule.name in given:
            _check_thresholds(rule, given[rule.name])
    return [(rule, dict(given.get(rule.name, {}))) for rule in chosen]


def _check_thresholds(rule: Rule, given: dict[str, Any]) -> None:
    defaults = rule.thresholds
    unknown = sorted(set(given) - set(defaults))
    if unknown:
        raise ValueError(
            f"`thresholds[{rule.name!r}]` must be keyword arguments of the rule, with "
            f"the defaults {defaults}. Received: {sorted(given)}. "
            f"{nearest(unknown[0], defaults)}"
        )
    for name, value in given.items():
        if isinstance(defaults[name], Real) and not isinstance(value, Real):
            raise TypeError(
                f"`thresholds[{rule.name!r}][{name!r}]` must be a number; its default "
                f"is {defaults[name]!r}. Received: {value!r} of type "
                f"{type(value).__name__}"
            )


def _conclude(run: Run, chosen: Chosen) -> Diagnosis:
    explains = symptoms_by_cause(rule for rule, _ in chosen)
    verdicts: dict[str, list[Verdict]] = {}
    # the last ones judge by what the others found, symptoms under their causes
    for is_last in (False, True):
        run.verdicts = _worst(verdicts, run) if is_last else {}
        for rule, thresholds in chosen:
            if rule.last is is_last:
                verdicts[rule.name] = [
                    replace(verdict, explains=explains.get(rule.name, ()))
                    if isinstance(verdict, Finding)
                    else verdict
                    for verdict in _judged(rule, run, thresholds)
                ]
    findings = _joined(verdicts, run)
    findings = without_contradictions(findings, run)
    # a trait that does no harm here changes nothing for the reader
    told = [finding for finding in findings if finding.rank or finding.note]
    names = {finding.name for finding in told}
    single = {name: parts[0] for name, parts in verdicts.items()}
    fine = {n: v.text for n, v in single.items() if isinstance(v, Fine)}
    fine.update({f.name: f.message for f in findings if f.name not in names})
    skipped = {n: v.reason for n, v in single.items() if isinstance(v, Skipped)}
    return Diagnosis(
        told,
        fine,
        skipped,
        outcome="" if run.live or run.is_planned else _outcome(run),
        record=run.record,
        coverage=_coverage(run, chosen, skipped),
    )


def _coverage(run: Run, chosen: Chosen, skipped: dict[str, str]) -> Coverage:
    rules = [rule for rule, _ in chosen]
    return Coverage.of(
        {rule.name: rule.decides for rule in rules if rule.decides},
        [rule.name for rule in rules if rule.name not in skipped],
        skipped,
        pending=[name for name, reason in skipped.items() if reason == NOT_YET],
        curves_only=run.has_curves_only,
        known=_known_gaps(run),
    )


def _known_gaps(run: Run) -> dict[str, str]:
    """Return what cannot be judged, whatever checks ran, with the reason."""
    facts = run.record.facts
    gaps = {}
    if run.has_curves_only and not run.is_planned and (reason := too_short(run.loss)):
        gaps["loss"] = reason
    if run.is_planned and facts.probe is not None and facts.probe.failed:
        gaps["predictions"] = run.reasons.probe
    is_compiled = facts.loss is not None or facts.optimizer is not None
    if run.is_planned and not is_compiled and not facts.own_loss:
        gaps["match"] = "the model is not compiled; call `model.compile(...)` first"
    return gaps


def _judged(rule: Rule, run: Run, thresholds: dict[str, Any]) -> list[Verdict]:
    if run.live and not rule.live:
        return [Skipped(NOT_YET)]
    try:
        with np.errstate(all="ignore"):  # records may hold anything
            return verdicts_of(rule, run, thresholds)
    except Exception as error:  # the other rules may do with what is there
        reason = FAILED if rule.is_own else FAILED_RULE
        reason = f"{reason} ({type(error).__name__}: {error})"
        if not run.live:  # else it would be said after each epoch
            warnings.warn(
                f"Rule {rule.name!r} was skipped: {reason}. The traceback is in "
                f"`diagnosis.skipped[{rule.name!r}]`.",
                UserWarning,
                stacklevel=5,  # `diagnose` is wrapped
            )
        return [Skipped(f"{reason}\n{''.join(traceback.format_exception(error))}")]


def _outcome(run: Run) -> str:
    try:
        return run.outcome.text
    except Exception:  # as the rules say that need it
        return ""


def _worst(verdicts: dict[str, list[Verdict]], run: Run) -> dict[str, Verdict]:
    """Return what each rule says, the worst where it is about several outputs."""
    found = reversed(_joined(verdicts, run))
    first = {name: parts[0] for name, parts in verdicts.items()}
    return {**first, **{finding.name: finding for finding in found}}


def _joined(verdicts: dict[str, list[Verdict]], run: Run) -> list[Finding]:
    """Put symptoms under their causes, and order all.

    The order is that of everything that shows a diagnosis: by severity, then causes
    before symptoms, then confidence.
    """
    told = chain.from_iterable(verdicts.values())
    found = [verdict for verdict in told if isinstance(verdict, Finding)]
    symptoms = [finding for finding in found if finding.kind == "symptom"]
    judged = [finding for finding in found if finding.kind == "cause"]
    # What a certain cause explains is weak evidence against another one: it makes of
    # what merely may do harm no more than a warning.
    sure = [
        cause for cause in judged if cause.risk is None and cause.severity == "critical"
    ]
    causes = [
        _weighed(cause, symptoms, sure, planned=run.is_planned) for cause in judged
    ]
    causes = after_the_start(causes, run)
    causes.sort(key=lambda cause: (-cause.rank, -cause.confidence))
    explained = []
    # a cause that came to a mere note explains no symptom that is more than that
    for symptom in symptoms:
        by = tuple(
            c.name
            for c in causes
            if c.can_explain(symptom) and c.rank >= min(1, symptom.rank)
        )
        explained.append(replace(symptom, explained_by=tuple(dict.fromkeys(by))))
    return sorted(
        [*causes, *explained],
        key=lambda f: (-f.rank, f.kind, bool(f.explained_by), -f.confidence),
    )


def _weighed(
    cause: Finding, symptoms: list[Finding], sure: list[Finding], *, planned: bool
) -> Finding:
    """Give a cause that may do harm its severity, by the harm that was found.

    Symptoms of a cause in `sure`, which are beyond doubt, are for others no more than a
    warning.
    """
    if cause.risk is None:
        return cause
    if planned:
        # before training there are no symptoms to weigh it by, only how likely harm is
        harm = SEVERITIES.index("warning") if cause.confidence >= LIKELY else 0
    else:
        harm = max(
            (
                min(s.rank, 1) if any(c.can_explain(s) for c in sure) else s.rank
                for s in symptoms
                if cause.can_explain(s)
            ),
            default=0,
        )
    # Never milder than the severity that the rule gave, and never worse than its
    # `risk`.
    rank = max(cause.rank, min(harm, SEVERITIES.index(cause.risk)))
    return replace(cause, severity=SEVERITIES[rank])
