"""What is wrong with a run, from what was recorded of it: pure, without Keras."""

from keras_dlbasic.diagnosis.diagnose import diagnose, diagnose_plan
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
    "diagnose_plan",
    "rule",
]
