"""What can be concluded from arrays: pure functions, NumPy in, values out."""

from keras_dlbasic.analysis.batch_size_advice import BatchSizeAdvice
from keras_dlbasic.analysis.batch_size_result import BatchSizeResult
from keras_dlbasic.analysis.comparison import Interval, Ranking, mean_interval, rank
from keras_dlbasic.analysis.descent import SURFACES, DescentPaths, descend, fit_line
from keras_dlbasic.analysis.gradient_events import GradientEvent, gradient_events
from keras_dlbasic.analysis.gradient_flow import gradient_flow
from keras_dlbasic.analysis.noise_scale import (
    NoiseScale,
    NoiseScaleCurve,
    gradient_noise_scale,
    noise_scale_of,
)
from keras_dlbasic.analysis.update_noise import UpdateNoise

__all__ = [
    "SURFACES",
    "BatchSizeAdvice",
    "BatchSizeResult",
    "DescentPaths",
    "GradientEvent",
    "Interval",
    "NoiseScale",
    "NoiseScaleCurve",
    "Ranking",
    "UpdateNoise",
    "descend",
    "fit_line",
    "gradient_events",
    "gradient_flow",
    "gradient_noise_scale",
    "mean_interval",
    "noise_scale_of",
    "rank",
]
