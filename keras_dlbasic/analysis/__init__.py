"""What can be concluded from arrays: pure functions, NumPy in, values out."""

from keras_dlbasic.analysis.activation_statistics import activation_statistics
from keras_dlbasic.analysis.activation_table import ACTIVATIONS, Activation
from keras_dlbasic.analysis.clipping_summary import (
    ClippingSummary,
    clipping_summary,
)
from keras_dlbasic.analysis.gradient_events import GradientEvent, gradient_events
from keras_dlbasic.analysis.gradient_flow import gradient_flow
from keras_dlbasic.analysis.normalization_drift import normalization_drift
from keras_dlbasic.analysis.signal_propagation import (
    LayerSignal,
    PropagationReport,
    SignalTrend,
    signal_trend,
)
from keras_dlbasic.analysis.suggest_clip import ClipSuggestion, suggest_clip

__all__ = [
    "ACTIVATIONS",
    "Activation",
    "ClipSuggestion",
    "ClippingSummary",
    "GradientEvent",
    "LayerSignal",
    "PropagationReport",
    "SignalTrend",
    "activation_statistics",
    "clipping_summary",
    "gradient_events",
    "gradient_flow",
    "normalization_drift",
    "signal_trend",
    "suggest_clip",
]
