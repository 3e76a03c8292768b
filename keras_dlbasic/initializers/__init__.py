"""Initializers by exactly the laws of their papers."""

from keras_dlbasic.initializers.for_activation import for_activation
from keras_dlbasic.initializers.he_normal import HeNormal
from keras_dlbasic.initializers.he_uniform import HeUniform
from keras_dlbasic.initializers.xavier_normal import XavierNormal
from keras_dlbasic.initializers.xavier_uniform import XavierUniform

__all__ = ["HeNormal", "HeUniform", "XavierNormal", "XavierUniform", "for_activation"]
