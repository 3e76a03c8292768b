"""A diagnosis for people to read."""

from keras_dlbasic.reports.terminal import diagnosis_text, print_diagnosis

__all__ = ["diagnosis_text", "print_diagnosis"]
