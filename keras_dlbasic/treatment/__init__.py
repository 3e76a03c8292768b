"""Treatment: diagnosis and remedies in turn, each kept only if it helped."""

from keras_dlbasic.treatment.plan import Plan
from keras_dlbasic.treatment.treat import treat
from keras_dlbasic.treatment.treatment import Treatment, TreatmentStep

__all__ = ["Plan", "Treatment", "TreatmentStep", "treat"]
