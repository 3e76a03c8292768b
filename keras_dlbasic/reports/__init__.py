"""Reports of a diagnosis as text and HTML.

- `explain`: print what is wrong with a run, draw its curves, return the diagnosis
- `picture`: a decorator that adds a plot to the HTML report
- `print_diagnosis`: print a diagnosis to a terminal or file
- `write_html`: write a diagnosis with plots of the run as one HTML page
"""

from typing import TYPE_CHECKING

from keras_dlbasic._front import front
from keras_dlbasic.reports.contributed import picture
from keras_dlbasic.reports.explain import explain
from keras_dlbasic.reports.html import write_html
from keras_dlbasic.reports.terminal import print_diagnosis

__all__ = ["explain", "picture", "print_diagnosis", "write_html"]

if not TYPE_CHECKING:
    __getattr__, __dir__ = front(__name__)
