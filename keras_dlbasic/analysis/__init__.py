"""What can be concluded from arrays: pure functions, NumPy in, values out."""

from keras_dlbasic.analysis.activation_statistics import activation_statistics
from keras_dlbasic.analysis.activation_table import ACTIVATIONS, Activation
from keras_dlbasic.analysis.batch_size_advice import BatchSizeAdvice
from keras_dlbasic.analysis.batch_size_result import BatchSizeResult
from keras_dlbasic.analysis.clipping_summary import ClippingSummary, clipping_summary
from keras_dlbasic.analysis.comparison import Interval, Ranking, mean_interval, rank
from keras_dlbasic.analysis.curve_turn import CurveTurn, find_turn
from keras_dlbasic.analysis.descent import SURFACES, DescentPaths, descend, fit_line
from keras_dlbasic.analysis.gradient_events import GradientEvent, gradient_events
from keras_dlbasic.analysis.gradient_flow import gradient_flow
from keras_dlbasic.analysis.learning_rate_range import (
    LearningRateRange,
    judge_learning_rates,
)
from keras_dlbasic.analysis.noise_scale import (
    NoiseScale,
    NoiseScaleCurve,
    gradient_noise_scale,
    noise_scale_of,
)
from keras_dlbasic.analysis.normalization_drift import normalization_drift
from keras_dlbasic.analysis.overfitting import detect_overfitting
from keras_dlbasic.analysis.overfitting_verdict import OverfittingVerdict
from keras_dlbasic.analysis.prediction_skill import prediction_skill
from keras_dlbasic.analysis.signal_propagation import (
    LayerSignal,
    PropagationReport,
    SignalTrend,
    signal_trend,
)
from keras_dlbasic.analysis.stopping_report import StoppingReport
from keras_dlbasic.analysis.suggest_clip import ClipSuggestion, suggest_clip
from keras_dlbasic.analysis.update_noise import UpdateNoise

__all__ = [
    "ACTIVATIONS",
    "SURFACES",
    "Activation",
    "BatchSizeAdvice",
    "BatchSizeResult",
    "ClipSuggestion",
    "ClippingSummary",
    "CurveTurn",
    "DescentPaths",
    "GradientEvent",
    "Interval",
    "LayerSignal",
    "LearningRateRange",
    "NoiseScale",
    "NoiseScaleCurve",
    "OverfittingVerdict",
    "PropagationReport",
    "Ranking",
    "SignalTrend",
    "StoppingReport",
    "UpdateNoise",
    "activation_statistics",
    "clipping_summary",
    "descend",
    "detect_overfitting",
    "find_turn",
    "fit_line",
    "gradient_events",
    "gradient_flow",
    "gradient_noise_scale",
    "judge_learning_rates",
    "mean_interval",
    "noise_scale_of",
    "normalization_drift",
    "prediction_skill",
    "rank",
    "signal_trend",
    "suggest_clip",
]
