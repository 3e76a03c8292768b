"""What was measured in a run, as NumPy arrays with labels. Knows no Keras."""

from keras_dlbasic.records.layer_table import LayerTable
from keras_dlbasic.records.thinning import WARMUP_STEPS, is_warmup_step
from keras_dlbasic.records.training_record import (
    MEASURES,
    SCALARS,
    TrainingRecord,
    global_norm,
)
from keras_dlbasic.records.trial_result import TrialResult
from keras_dlbasic.records.variable_info import VariableInfo

__all__ = [
    "MEASURES",
    "SCALARS",
    "WARMUP_STEPS",
    "LayerTable",
    "TrainingRecord",
    "TrialResult",
    "VariableInfo",
    "global_norm",
    "is_warmup_step",
]
