"""Experiments over many fits, and what they are made of."""

from keras_dlbasic.studies.batch_size_study import BatchSizeStudy
from keras_dlbasic.studies.batch_sizes import resolve_batch_size
from keras_dlbasic.studies.full_batch import check_full_batch, full_batch
from keras_dlbasic.studies.gradient_noise_scale import GradientNoiseScale
from keras_dlbasic.studies.micro_batches import MicroBatches
from keras_dlbasic.studies.micro_step_schedule import MicroStepSchedule
from keras_dlbasic.studies.rebatch import rebatch
from keras_dlbasic.studies.trial_runner import TrialRunner, process_pool
from keras_dlbasic.studies.trial_worker import DivergedError

__all__ = [
    "BatchSizeStudy",
    "DivergedError",
    "GradientNoiseScale",
    "MicroBatches",
    "MicroStepSchedule",
    "TrialRunner",
    "check_full_batch",
    "full_batch",
    "process_pool",
    "rebatch",
    "resolve_batch_size",
]
