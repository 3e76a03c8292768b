"""Experiments over many fits, and what they are made of.

- `BatchSizeStudy`: measure what the batch size does, and which one to take
- `CapacityStudy`: measure what the width or depth of a model does
- `DivergedError`: what a trial raises whose loss became non-finite
- `GradientNoiseScale`: measure the gradient noise scale while a model trains
- `LearningRateRangeTest`: find a learning rate by raising it from step to step
- `MicroBatches`: micro-batches of equal size, weighted for exact gradient accumulation
- `MicroStepSchedule`: a schedule that counts updates where Keras counts micro-steps
- `OutlierStudy`: measure how strongly wrong points pull, and rank suspects
- `RemedyStudy`: measure which remedy against overfitting helps, and its price
- `SampleSizeStudy`: measure what more data bring
- `TrialRunner`: runs the trials of a study
- `check_full_batch`: refuse a model that accumulation would change
- `full_batch`: make one epoch one update, with the gradient of all data
- `process_pool`: return a pool of processes in which Keras can run
- `rebatch`: give a dataset another batch size
- `resolve_batch_size`: return the number to give to `model.fit(x, y, batch_size=...)`
"""

from typing import TYPE_CHECKING

from keras_dlbasic._front import front
from keras_dlbasic._trials.batch_sizes import resolve_batch_size
from keras_dlbasic._trials.runner import TrialRunner, process_pool
from keras_dlbasic._trials.worker import DivergedError
from keras_dlbasic.studies.batch_size.full_batch import check_full_batch, full_batch
from keras_dlbasic.studies.batch_size.gradient_noise_scale import GradientNoiseScale
from keras_dlbasic.studies.batch_size.micro_batches import MicroBatches
from keras_dlbasic.studies.batch_size.micro_step_schedule import MicroStepSchedule
from keras_dlbasic.studies.batch_size.rebatch import rebatch
from keras_dlbasic.studies.batch_size.study import BatchSizeStudy
from keras_dlbasic.studies.capacity import CapacityStudy
from keras_dlbasic.studies.learning_rate import LearningRateRangeTest
from keras_dlbasic.studies.outliers import OutlierStudy
from keras_dlbasic.studies.remedies.study import RemedyStudy
from keras_dlbasic.studies.sample_size import SampleSizeStudy

__all__ = [
    "BatchSizeStudy",
    "CapacityStudy",
    "DivergedError",
    "GradientNoiseScale",
    "LearningRateRangeTest",
    "MicroBatches",
    "MicroStepSchedule",
    "OutlierStudy",
    "RemedyStudy",
    "SampleSizeStudy",
    "TrialRunner",
    "check_full_batch",
    "full_batch",
    "process_pool",
    "rebatch",
    "resolve_batch_size",
]

if not TYPE_CHECKING:
    __getattr__, __dir__ = front(__name__)
