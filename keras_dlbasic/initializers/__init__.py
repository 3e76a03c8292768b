"""Initializers with exactly the distributions of their papers.

- `HeNormal`: N(0, sigma = sqrt(2/n_in)), not truncated
- `HeUniform`: u(-sqrt(6/n_in), +sqrt(6/n_in))
- `XavierNormal`: N(0, sigma = sqrt(2/(n_in+n_out))), not truncated
- `XavierUniform`: u(-sqrt(6/(n_in+n_out)), +sqrt(6/(n_in+n_out)))
- `for_activation`: return the initializer, with its gain, for an activation
"""

from typing import TYPE_CHECKING

from keras_dlbasic._front import front
from keras_dlbasic.initializers.for_activation import for_activation
from keras_dlbasic.initializers.he_normal import HeNormal
from keras_dlbasic.initializers.he_uniform import HeUniform
from keras_dlbasic.initializers.xavier_normal import XavierNormal
from keras_dlbasic.initializers.xavier_uniform import XavierUniform

__all__ = ["HeNormal", "HeUniform", "XavierNormal", "XavierUniform", "for_activation"]

if not TYPE_CHECKING:
    __getattr__, __dir__ = front(__name__)
