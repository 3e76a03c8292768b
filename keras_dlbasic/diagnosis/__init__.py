"""Diagnosis of a recorded run: pure functions, without Keras.

- `NEEDS`: the names for `needs` of a rule, with descriptions
- `SEVERITIES`: the severities, from the mildest to the worst
- `Coverage`: how much of a run could be judged
- `Diagnosis`: findings, passed checks and skipped checks of a run
- `Fine`: what a rule returns if nothing is wrong
- `Finding`: one problem, with its evidence
- `Found`: deprecated; return a `Finding`
- `RemedySuggestion`: a remedy to try, with the reason
- `Rule`: a function that judges a run
- `Run`: the run that a rule judges
- `Skipped`: what a rule returns or raises if it cannot judge
- `Verdict`: what a rule returns: `Finding`, `Fine` or `Skipped`
- `all_rules`: all rules, by name
- `diagnose`: find out what is wrong with a run
- `rule`: a decorator that turns a function into a rule
"""

from typing import TYPE_CHECKING

from keras_dlbasic._front import front
from keras_dlbasic.diagnosis.coverage import Coverage
from keras_dlbasic.diagnosis.diagnose import diagnose
from keras_dlbasic.diagnosis.diagnosis import Diagnosis
from keras_dlbasic.diagnosis.finding import SEVERITIES, Finding
from keras_dlbasic.diagnosis.fine import Fine
from keras_dlbasic.diagnosis.found import Found
from keras_dlbasic.diagnosis.needs import NEEDS
from keras_dlbasic.diagnosis.registry import all_rules
from keras_dlbasic.diagnosis.remedy_suggestion import RemedySuggestion
from keras_dlbasic.diagnosis.rule import Rule, rule
from keras_dlbasic.diagnosis.run import Run
from keras_dlbasic.diagnosis.skipped import Skipped
from keras_dlbasic.diagnosis.verdict import Verdict

__all__ = [
    "NEEDS",
    "SEVERITIES",
    "Coverage",
    "Diagnosis",
    "Finding",
    "Fine",
    "Found",
    "RemedySuggestion",
    "Rule",
    "Run",
    "Skipped",
    "Verdict",
    "all_rules",
    "diagnose",
    "rule",
]

if not TYPE_CHECKING:
    __getattr__, __dir__ = front(__name__)
