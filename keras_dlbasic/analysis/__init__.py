"""What can be concluded from arrays: pure functions, NumPy in, values out."""

from keras_dlbasic.analysis.curve_turn import CurveTurn, find_turn
from keras_dlbasic.analysis.gradient_events import GradientEvent, gradient_events
from keras_dlbasic.analysis.gradient_flow import gradient_flow
from keras_dlbasic.analysis.overfitting import detect_overfitting
from keras_dlbasic.analysis.overfitting_verdict import OverfittingVerdict
from keras_dlbasic.analysis.stopping_report import StoppingReport

__all__ = [
    "CurveTurn",
    "GradientEvent",
    "OverfittingVerdict",
    "StoppingReport",
    "detect_overfitting",
    "find_turn",
    "gradient_events",
    "gradient_flow",
]
