"""Callbacks for `model.fit`: thin shells around what records and what judges.

- `ActivationMonitor`: watch how alive the units of every layer are
- `CurvatureProbe`: look at the curvature of the loss where training stands
- `EarlyStoppingReport`: stop like `EarlyStopping`, and say why, when and what was kept
- `GradientNormMonitor`: watch the gradients of every layer as they are trained
- `NonFiniteReport`: what is known of the first step with non-finite gradients
- `NormalizationMonitor`: watch the drift between batch and moving statistics
- `OverfittingDetector`: say when a model begins to overfit, from its curves so far
- `PenaltyMonitor`: watch how much of the loss is penalty, and what it does
- `TrainingDoctor`: find out what is wrong with a run, while it is trained and after
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
