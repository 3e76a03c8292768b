"""The former name of `keras_dlbasic.propagation`, kept for code that uses it."""

from keras_dlbasic.propagation import *  # noqa: F403
from keras_dlbasic.propagation import __all__ as __all__
