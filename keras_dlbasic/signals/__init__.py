"""The former name of `keras_dlbasic.propagation`, kept for existing code."""

from typing import TYPE_CHECKING

from keras_dlbasic._front import front
from keras_dlbasic._keras.fans import KernelFans, kernel_fans
from keras_dlbasic.propagation import propagation_report

__all__ = ["KernelFans", "kernel_fans", "propagation_report"]

if not TYPE_CHECKING:
    __getattr__, __dir__ = front(__name__)
