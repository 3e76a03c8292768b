"""Callbacks for `model.fit`: thin shells around what records and what judges."""

from keras_dlbasic.callbacks.activation_monitor import ActivationMonitor
from keras_dlbasic.callbacks.early_stopping_report import EarlyStoppingReport
from keras_dlbasic.callbacks.gradient_norm_monitor import GradientNormMonitor
from keras_dlbasic.callbacks.non_finite import NonFiniteReport
from keras_dlbasic.callbacks.normalization_monitor import NormalizationMonitor
from keras_dlbasic.callbacks.overfitting_detector import OverfittingDetector
from keras_dlbasic.callbacks.penalty_monitor import PenaltyMonitor
from keras_dlbasic.callbacks.training_doctor import TrainingDoctor

__all__ = [
    "ActivationMonitor",
    "EarlyStoppingReport",
    "GradientNormMonitor",
    "NonFiniteReport",
    "NormalizationMonitor",
    "OverfittingDetector",
    "PenaltyMonitor",
    "TrainingDoctor",
]
