"""A diagnosis for people to read.

- `diagnosis_text`: write a diagnosis as text
- `print_diagnosis`: print a diagnosis to a terminal or file
"""

from keras_dlbasic.reports.terminal import diagnosis_text, print_diagnosis

__all__ = ["diagnosis_text", "print_diagnosis"]
