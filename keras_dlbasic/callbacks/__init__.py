"""Callbacks for `model.fit` that watch training and report on it.

- `ActivationMonitor`: count the dead, saturated and dormant units of each layer
- `CurvatureProbe`: measure the curvature of the loss during training
- `EarlyStoppingReport`: stop like `EarlyStopping`, and report when and why
- `GradientNormMonitor`: record the gradient norm of each layer during training
- `NonFiniteReport`: report on the first step with NaN or infinite gradients
- `NormalizationMonitor`: record how far moving statistics are from batch statistics
- `OverfittingDetector`: report when a model begins to overfit
- `PenaltyMonitor`: record the share of weight penalties in the loss
- `TrainingDoctor`: find out why a model does not learn, during and after training
"""

from typing import TYPE_CHECKING

from keras_dlbasic._front import front
from keras_dlbasic.callbacks.activation_monitor import ActivationMonitor
from keras_dlbasic.callbacks.curvature_probe import CurvatureProbe
from keras_dlbasic.callbacks.early_stopping_report import EarlyStoppingReport
from keras_dlbasic.callbacks.gradient_norm_monitor import GradientNormMonitor
from keras_dlbasic.callbacks.non_finite import NonFiniteReport
from keras_dlbasic.callbacks.normalization_monitor import NormalizationMonitor
from keras_dlbasic.callbacks.overfitting_detector import OverfittingDetector
from keras_dlbasic.callbacks.penalty_monitor import PenaltyMonitor
from keras_dlbasic.callbacks.training_doctor import TrainingDoctor

__all__ = [
    "ActivationMonitor",
    "CurvatureProbe",
    "EarlyStoppingReport",
    "GradientNormMonitor",
    "NonFiniteReport",
    "NormalizationMonitor",
    "OverfittingDetector",
    "PenaltyMonitor",
    "TrainingDoctor",
]

if not TYPE_CHECKING:
    __getattr__, __dir__ = front(__name__)
