"""Treatment: diagnose a model, try remedies, and keep those that help.

- `Treatment`: the result of `treat`
- `TreatmentStep`: a remedy that was tried
- `treat`: diagnose a model, try remedies, and train it with those that help
"""

from typing import TYPE_CHECKING

from keras_dlbasic._front import front
from keras_dlbasic.treatment.treat import treat
from keras_dlbasic.treatment.treatment import Treatment, TreatmentStep

__all__ = ["Treatment", "TreatmentStep", "treat"]

if not TYPE_CHECKING:
    __getattr__, __dir__ = front(__name__)
