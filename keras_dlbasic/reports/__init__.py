"""A diagnosis for people to read.

- `diagnosis_text`: write a diagnosis as text
- `print_diagnosis`: print a diagnosis to a terminal or file
- `write_html`: write a diagnosis with pictures of the run as one page
"""

from keras_dlbasic.reports.html import write_html
from keras_dlbasic.reports.terminal import diagnosis_text, print_diagnosis

__all__ = ["diagnosis_text", "print_diagnosis", "write_html"]
