"""The signals between the layers of a model, measured on a batch outside of training.

- `propagation_report`: measure how signals and gradients change with depth
"""

from typing import TYPE_CHECKING

from keras_dlbasic._front import front
from keras_dlbasic.propagation.report import propagation_report

__all__ = ["propagation_report"]

if not TYPE_CHECKING:
    __getattr__, __dir__ = front(__name__)
