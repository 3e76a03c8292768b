"""Treatment: diagnosis and remedies in turn, each kept only if it helped.

- `Treatment`: the result of `treat`
- `TreatmentStep`: a remedy that was tried
- `treat`: diagnose, fix, train; keep only what helped
"""

from typing import TYPE_CHECKING

from keras_dlbasic._front import front
from keras_dlbasic.treatment.treat import treat
from keras_dlbasic.treatment.treatment import Treatment, TreatmentStep

__all__ = ["Treatment", "TreatmentStep", "treat"]

if not TYPE_CHECKING:
    __getattr__, __dir__ = front(__name__)
