"""What is wrong with a run, from what was recorded of it: pure, without Keras.

- `SEVERITIES`: from the mildest to the worst
- `Diagnosis`: what was found, found fine and could not be looked at
- `Finding`: one problem, with what speaks for it
- `Found`: what a rule returns if it finds something
- `RemedySuggestion`: what to try against a finding
- `Rule`: a rule that judges a run
- `Skipped`: what a rule raises if it cannot judge
- `all_rules`: all rules, by name
- `diagnose`: say what is wrong with a run
- `rule`: make a function a rule
"""

from typing import TYPE_CHECKING

from keras_dlbasic._front import front
from keras_dlbasic.diagnosis.diagnose import diagnose
from keras_dlbasic.diagnosis.diagnosis import Diagnosis
from keras_dlbasic.diagnosis.finding import SEVERITIES, Finding
from keras_dlbasic.diagnosis.remedy_suggestion import RemedySuggestion
from keras_dlbasic.diagnosis.rule import Found, Rule, Skipped, all_rules, rule

__all__ = [
    "SEVERITIES",
    "Diagnosis",
    "Finding",
    "Found",
    "RemedySuggestion",
    "Rule",
    "Skipped",
    "all_rules",
    "diagnose",
    "rule",
]

if not TYPE_CHECKING:
    __getattr__, __dir__ = front(__name__)
