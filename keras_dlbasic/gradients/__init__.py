"""The gradients of a running fit, read from Keras' own training step.

- `GradientTap`: runs chosen steps of a fit through a training step that also measures
- `NonFiniteOrigin`: where the first NaN or infinite value appeared
- `describe_variables`: return the layer, role and depth of each variable
- `localize_non_finite`: find the first layer with NaN or infinite values
"""

from typing import TYPE_CHECKING

from keras_dlbasic._front import front
from keras_dlbasic._keras.graph import describe_variables
from keras_dlbasic.gradients.localize import NonFiniteOrigin, localize_non_finite
from keras_dlbasic.gradients.tap import GradientTap

__all__ = [
    "GradientTap",
    "NonFiniteOrigin",
    "describe_variables",
    "localize_non_finite",
]

if not TYPE_CHECKING:
    __getattr__, __dir__ = front(__name__)
