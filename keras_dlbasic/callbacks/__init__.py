"""Callbacks for `model.fit`: thin shells around what records and what judges."""

from keras_dlbasic.callbacks.gradient_norm_monitor import GradientNormMonitor
from keras_dlbasic.callbacks.non_finite import NonFiniteReport

__all__ = ["GradientNormMonitor", "NonFiniteReport"]
