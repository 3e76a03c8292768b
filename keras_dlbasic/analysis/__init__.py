"""What can be concluded from arrays: pure functions, NumPy in, values out."""

from keras_dlbasic.analysis.gradient_events import GradientEvent, gradient_events
from keras_dlbasic.analysis.gradient_flow import gradient_flow

__all__ = ["GradientEvent", "gradient_events", "gradient_flow"]
