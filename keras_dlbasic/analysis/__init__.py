"""What can be concluded from arrays: pure functions, NumPy in, values out."""

from keras_dlbasic.analysis.batch_size_advice import BatchSizeAdvice
from keras_dlbasic.analysis.batch_size_result import BatchSizeResult
from keras_dlbasic.analysis.comparison import Interval, Ranking, mean_interval, rank
from keras_dlbasic.analysis.gradient_events import GradientEvent, gradient_events
from keras_dlbasic.analysis.gradient_flow import gradient_flow
from keras_dlbasic.analysis.noise_scale import (
    NoiseScale,
    gradient_noise_scale,
    noise_scale_of,
)

__all__ = [
    "BatchSizeAdvice",
    "BatchSizeResult",
    "GradientEvent",
    "Interval",
    "NoiseScale",
    "Ranking",
    "gradient_events",
    "gradient_flow",
    "gradient_noise_scale",
    "mean_interval",
    "noise_scale_of",
    "rank",
]
