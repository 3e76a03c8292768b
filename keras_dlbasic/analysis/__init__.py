"""Analysis of records and arrays: pure functions of NumPy arrays.

- `BatchSizeAdvice`: a recommended batch size, with its reasons
- `BatchSizeResult`: the trials of a `studies.BatchSizeStudy`
- `CapacityResult`: the trials of a `studies.CapacityStudy`
- `ClipSuggestion`: thresholds for gradient clipping
- `ClippingSummary`: how often and how strongly one variable was clipped
- `CriticalPoint`: the classification of a point of the loss landscape
- `DescentPaths`: the result of `descend` and `fit_line`
- `GradientEvent`: a problem in the gradients, found by `gradient_events`
- `HessianExtremes`: smallest and largest eigenvalue of a Hessian
- `HessianTrace`: estimate of the trace of a Hessian
- `Interval`: a mean and its confidence interval
- `LayerSignal`: one layer of a `PropagationReport`
- `LargestBatchSize`: which batch sizes fit into memory, and a recommended one
- `LearningRateRange`: the result of a learning-rate range test
- `LossLine`: the loss along the line between two points in weight space
- `LossSurface`: the loss on a plane in weight space
- `NoiseScale`: the result of `gradient_noise_scale`
- `NoiseScaleCurve`: the terms of the noise scale, measured over a run
- `OutlierResult`: the trials of a `studies.OutlierStudy`
- `OverfittingVerdict`: the result of `detect_overfitting`
- `PointEvidence`: the measurements at a point of the loss landscape
- `PropagationReport`: the result of `propagation_report`
- `PairedDifference`: the difference between an arm and the baseline, with its error
- `PowerLaw`: a power law of the error in the number of samples
- `RemedyAdvice`: a recommended remedy against overfitting, or none, with reasons
- `RemedyResult`: the trials of a `studies.RemedyStudy`
- `SampleSizeResult`: the trials of a `studies.SampleSizeStudy`
- `Skill`: how much better predictions are than the best constant prediction
- `StoppingReport`: why a run ended, as text and numbers
- `TaskKind`: the task of an output: classes, labels or values
- `clipping_summary`: return how often and how strongly gradients were clipped
- `descend`: run gradient descent on a teaching surface with three batch sizes
- `detect_overfitting`: return whether a run overfits, and since when
- `fit_line`: fit a line to data by gradient descent with three batch sizes
- `fit_power_law`: fit a falling power law with a floor to errors
- `gradient_events`: find where gradients vanish, explode or turn non-finite
- `gradient_flow`: return the gradient relative to the weights
- `gradient_noise_scale`: estimate the noise scale from norms at two batch sizes
- `largest_batch_size_of`: recommend a batch size, given which ones fit into memory
- `judge_learning_rates`: choose a learning rate from the losses of a range test
- `judge_point`: classify a point of the loss landscape
- `paired_differences`: compare arms with a baseline, by seeds and held-out rows
- `prediction_skill`: score predictions against the best constant
- `replica_noise_scale`: compute the noise scale of a run on several replicas
- `skill`: score predictions: 0 is the best constant, 1 is perfect
- `TriedBatchSize`: a batch size that was tried, and whether it fits
- `suggest_clip`: propose a clipping threshold from the percentiles of the norms seen
"""

from typing import TYPE_CHECKING

from keras_dlbasic._front import front
from keras_dlbasic.analysis.activations.propagation import (
    LayerSignal,
    PropagationReport,
)
from keras_dlbasic.analysis.experiments.batch_size_advice import BatchSizeAdvice
from keras_dlbasic.analysis.experiments.batch_size_result import BatchSizeResult
from keras_dlbasic.analysis.experiments.capacity_result import CapacityResult
from keras_dlbasic.analysis.experiments.comparison import Interval
from keras_dlbasic.analysis.experiments.largest_batch_size_result import (
    LargestBatchSize,
    TriedBatchSize,
    largest_batch_size_of,
)
from keras_dlbasic.analysis.experiments.learning_rate_range import (
    LearningRateRange,
    judge_learning_rates,
)
from keras_dlbasic.analysis.experiments.outlier_result import OutlierResult
from keras_dlbasic.analysis.experiments.paired_comparison import (
    PairedDifference,
    paired_differences,
)
from keras_dlbasic.analysis.experiments.power_law import PowerLaw, fit_power_law
from keras_dlbasic.analysis.experiments.remedy_advice import RemedyAdvice
from keras_dlbasic.analysis.experiments.remedy_result import RemedyResult
from keras_dlbasic.analysis.experiments.sample_size_result import SampleSizeResult
from keras_dlbasic.analysis.gradients.clipping_summary import (
    ClippingSummary,
    clipping_summary,
)
from keras_dlbasic.analysis.gradients.events import GradientEvent, gradient_events
from keras_dlbasic.analysis.gradients.flow import gradient_flow
from keras_dlbasic.analysis.gradients.noise_scale import (
    NoiseScale,
    NoiseScaleCurve,
    gradient_noise_scale,
    replica_noise_scale,
)
from keras_dlbasic.analysis.gradients.suggest_clip import ClipSuggestion, suggest_clip
from keras_dlbasic.analysis.landscape.critical_point import (
    CriticalPoint,
    PointEvidence,
    judge_point,
)
from keras_dlbasic.analysis.landscape.descent import DescentPaths, descend, fit_line
from keras_dlbasic.analysis.landscape.hessian_spectrum import (
    HessianExtremes,
    HessianTrace,
)
from keras_dlbasic.analysis.landscape.loss_surface import LossLine, LossSurface
from keras_dlbasic.analysis.overfitting.detect import detect_overfitting
from keras_dlbasic.analysis.overfitting.stopping_report import StoppingReport
from keras_dlbasic.analysis.overfitting.verdict import OverfittingVerdict
from keras_dlbasic.analysis.prediction_skill import prediction_skill
from keras_dlbasic.analysis.scoring import Skill, TaskKind, skill

__all__ = [
    "BatchSizeAdvice",
    "BatchSizeResult",
    "CapacityResult",
    "ClipSuggestion",
    "ClippingSummary",
    "CriticalPoint",
    "DescentPaths",
    "GradientEvent",
    "HessianExtremes",
    "HessianTrace",
    "Interval",
    "LargestBatchSize",
    "LayerSignal",
    "LearningRateRange",
    "LossLine",
    "LossSurface",
    "NoiseScale",
    "NoiseScaleCurve",
    "OutlierResult",
    "OverfittingVerdict",
    "PairedDifference",
    "PointEvidence",
    "PowerLaw",
    "PropagationReport",
    "RemedyAdvice",
    "RemedyResult",
    "SampleSizeResult",
    "Skill",
    "StoppingReport",
    "TaskKind",
    "TriedBatchSize",
    "clipping_summary",
    "descend",
    "detect_overfitting",
    "fit_line",
    "fit_power_law",
    "gradient_events",
    "gradient_flow",
    "gradient_noise_scale",
    "judge_learning_rates",
    "judge_point",
    "largest_batch_size_of",
    "paired_differences",
    "prediction_skill",
    "replica_noise_scale",
    "skill",
    "suggest_clip",
]

if not TYPE_CHECKING:
    __getattr__, __dir__ = front(__name__)
