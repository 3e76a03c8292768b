"""The gradients of a running fit, taken inside Keras' own training step."""

from keras_dlbasic.gradients.localize import NonFiniteOrigin, localize_non_finite
from keras_dlbasic.gradients.sampling import Every, check_every, epoch_plan
from keras_dlbasic.gradients.tap import GradientTap
from keras_dlbasic.gradients.variables import describe_variables

__all__ = [
    "Every",
    "GradientTap",
    "NonFiniteOrigin",
    "check_every",
    "describe_variables",
    "epoch_plan",
    "localize_non_finite",
]
