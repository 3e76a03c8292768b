"""What is wrong with a run, from what was recorded of it: pure, without Keras."""

from keras_dlbasic.diagnosis.diagnosis import Diagnosis
from keras_dlbasic.diagnosis.finding import SEVERITIES, Finding
from keras_dlbasic.diagnosis.remedy_suggestion import RemedySuggestion

__all__ = ["SEVERITIES", "Diagnosis", "Finding", "RemedySuggestion"]
