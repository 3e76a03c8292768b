"""The former name of `keras_dlbasic.inspection`, kept for code that uses it."""

from keras_dlbasic.inspection import *  # noqa: F403
from keras_dlbasic.inspection import __all__ as __all__
