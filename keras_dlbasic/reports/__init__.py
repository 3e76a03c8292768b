"""A diagnosis for people to read.

- `diagnosis_text`: write a diagnosis as text
- `html_text`: return a diagnosis with pictures of the run as one page
- `print_diagnosis`: print a diagnosis to a terminal or file
- `write_html`: write a diagnosis with pictures of the run as one page
"""

from typing import TYPE_CHECKING

from keras_dlbasic._front import front
from keras_dlbasic.reports.html import html_text, write_html
from keras_dlbasic.reports.terminal import diagnosis_text, print_diagnosis

__all__ = ["diagnosis_text", "html_text", "print_diagnosis", "write_html"]

if not TYPE_CHECKING:
    __getattr__, __dir__ = front(__name__)
