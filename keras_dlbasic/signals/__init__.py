"""The signals between the layers of a model: measured on a batch, not in training."""

from keras_dlbasic.signals.layer_fans import KernelFans, kernel_fans
from keras_dlbasic.signals.propagation import propagation_report

__all__ = ["KernelFans", "kernel_fans", "propagation_report"]
