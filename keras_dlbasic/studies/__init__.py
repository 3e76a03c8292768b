"""Experiments with many fits.

- `BatchSizeStudy`: measure the effect of the batch size, and recommend one
- `CapacityStudy`: measure the effect of the width or depth of a model
- `GradientNoiseScale`: measure the gradient noise scale while a model trains
- `LearningRateRangeTest`: find a learning rate by raising it from step to step
- `OutlierStudy`: measure the effect of wrong rows, and rank suspects
- `RemedyStudy`: measure which remedy against overfitting helps, and its cost
- `SampleSizeStudy`: predict the gain of more training data
- `TrialRunner`: runs the trials of a study
- `largest_batch_size`: find the largest batch size that fits into memory
- `lr_find`: find a learning rate, plot the losses, and return the rate
- `full_batch`: make one epoch one update with the gradient of the whole data set
- `process_pool`: return a pool of processes in which Keras can run
- `ray_executor`: return an executor whose workers are actors of a Ray cluster
- `rebatch`: change the batch size of a data set
- `resolve_batch_size`: return the number for `model.fit(x, y, batch_size=...)`
"""

from typing import TYPE_CHECKING

from keras_dlbasic._front import front
from keras_dlbasic._trials.batch_sizes import resolve_batch_size
from keras_dlbasic._trials.process_pool import process_pool
from keras_dlbasic._trials.ray_executor import ray_executor
from keras_dlbasic._trials.runner import TrialRunner
from keras_dlbasic.studies.batch_size.full_batch import full_batch
from keras_dlbasic.studies.batch_size.gradient_noise_scale import GradientNoiseScale
from keras_dlbasic.studies.batch_size.largest import largest_batch_size
from keras_dlbasic.studies.batch_size.rebatch import rebatch
from keras_dlbasic.studies.batch_size.study import BatchSizeStudy
from keras_dlbasic.studies.capacity import CapacityStudy
from keras_dlbasic.studies.learning_rate import LearningRateRangeTest
from keras_dlbasic.studies.learning_rate_finder import lr_find
from keras_dlbasic.studies.outliers import OutlierStudy
from keras_dlbasic.studies.remedies.study import RemedyStudy
from keras_dlbasic.studies.sample_size import SampleSizeStudy

__all__ = [
    "BatchSizeStudy",
    "CapacityStudy",
    "GradientNoiseScale",
    "LearningRateRangeTest",
    "OutlierStudy",
    "RemedyStudy",
    "SampleSizeStudy",
    "TrialRunner",
    "full_batch",
    "largest_batch_size",
    "lr_find",
    "process_pool",
    "ray_executor",
    "rebatch",
    "resolve_batch_size",
]

if not TYPE_CHECKING:
    __getattr__, __dir__ = front(__name__)
