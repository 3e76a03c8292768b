"""The former name of `keras_dlbasic.inspection`, kept for code that uses it."""

from typing import TYPE_CHECKING

from keras_dlbasic._front import front
from keras_dlbasic.inspection import *  # noqa: F403
from keras_dlbasic.inspection import __all__ as __all__

if not TYPE_CHECKING:
    __getattr__, __dir__ = front(__name__)
