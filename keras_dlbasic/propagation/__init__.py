"""The signals between the layers of a model: measured on a batch, not in training.

- `KernelFans`: a kernel and how many units it connects
- `kernel_fans`: return the fans of the kernels that a built layer owns itself
- `propagation_report`: measure how signals and gradients change with depth
"""

from typing import TYPE_CHECKING

from keras_dlbasic._front import front
from keras_dlbasic._keras.fans import KernelFans, kernel_fans
from keras_dlbasic.propagation.report import propagation_report

__all__ = ["KernelFans", "kernel_fans", "propagation_report"]

if not TYPE_CHECKING:
    __getattr__, __dir__ = front(__name__)
