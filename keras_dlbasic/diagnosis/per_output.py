"""What a rule says of a run, output by output where it judges each by itself."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from keras_dlbasic.diagnosis.advice import ONE_OUTPUT, advice
from keras_dlbasic.diagnosis.finding import Finding
from keras_dlbasic.diagnosis.fine import Fine
from keras_dlbasic.diagnosis.remedy_suggestion import RemedySuggestion
from keras_dlbasic.diagnosis.rule import Rule
from keras_dlbasic.diagnosis.run import Run
from keras_dlbasic.diagnosis.skipped import Skipped
from keras_dlbasic.diagnosis.verdict import Verdict

NOT_TRAINED = "it has no loss, so it is not trained"


def verdicts_of(rule: Rule, run: Run, thresholds: Mapping[str, Any]) -> list[Verdict]:
    """Apply a rule to a run.

    Args:
        rule: The rule.
        run: The run.
        thresholds: Other thresholds than the defaults.

    Returns:
        A verdict; or a finding for each of several outputs of which the rule has one.
    """
    if not (rule.per_output and run.outputs_apart):
        return [_advised(run, rule(run, **thresholds))]
    verdicts = {
        str(apart.output_name): _of_output(rule, apart, thresholds)
        for apart in run.outputs_apart
    }
    # A problem at one output is a finding, whatever the others are like.
    found: list[Verdict] = [v for v in verdicts.values() if isinstance(v, Finding)]
    if found:
        return found
    if all(isinstance(verdict, Skipped) for verdict in verdicts.values()):
        # a step of the user's may log one loss only: then their sum is judged
        whole = _advised(run, rule(run, **thresholds))
        return [_joined(verdicts) if isinstance(whole, Skipped) else whole]
    return [_joined(verdicts)]


def _of_output(rule: Rule, apart: Run, thresholds: Mapping[str, Any]) -> Verdict:
    if not apart.is_trained:
        return Skipped(NOT_TRAINED)
    verdict = _advised(apart, rule(apart, **thresholds))
    if not isinstance(verdict, Finding):
        return verdict
    name = str(apart.output_name)
    return replace(
        verdict,
        output=name,
        message=f"Output '{name}': {verdict.message}",
        remedies=tuple(_for_output(apart, remedy) for remedy in verdict.remedies),
    )


def _advised(run: Run, verdict: Verdict) -> Verdict:
    if not isinstance(verdict, Finding):
        return verdict
    return replace(verdict, remedies=advice(run, verdict.remedies))


def _for_output(apart: Run, remedy: RemedySuggestion) -> RemedySuggestion:
    """Leave to the user what no remedy does for one of several outputs.

    Code that changes targets is written for the part of them that the output has.
    """
    code = _OF_TARGETS.sub(_part_of_targets(apart), remedy.code)
    if remedy.name in ONE_OUTPUT:
        code = f"for output '{apart.output_name}': {code}"
        return RemedySuggestion(None, remedy.reason, code)
    return replace(remedy, code=code)


_OF_TARGETS = re.compile(r"\by\b(?!=)")
"""The targets in a line of code, but not as the name of an argument."""


def _part_of_targets(apart: Run) -> str:
    """Return how code takes the targets of an output out of a list or dictionary."""
    targets = apart.facts.targets
    name = targets[0].name if len(targets) == 1 else str(apart.output_name)
    return f"y[{name}]" if name.isdecimal() else f"y[{name!r}]"


def _joined(verdicts: Mapping[str, Verdict]) -> Verdict:
    """Return one verdict, which tells what is the case at which output."""
    skipped = {k: v.reason for k, v in verdicts.items() if isinstance(v, Skipped)}
    if len(skipped) == len(verdicts):
        return Skipped(_by_output(skipped))
    fine = {name: v.text for name, v in verdicts.items() if isinstance(v, Fine)}
    # in the order of the outputs
    texts = {
        name: fine.get(name) or f"not judged ({skipped[name]})" for name in verdicts
    }
    return Fine(_by_output(texts))


def _by_output(texts: Mapping[str, str]) -> str:
    """Say what is the same for all outputs once."""
    distinct = set(texts.values())
    if len(distinct) == 1:
        return distinct.pop()
    return "; ".join(f"output '{name}': {text}" for name, text in texts.items())
