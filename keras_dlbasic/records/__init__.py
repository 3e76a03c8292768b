"""What was measured in a run, as NumPy arrays with labels. Knows no Keras.

- `MEASURES`: what is measured per sampled step and variable
- `SCALARS`: what is measured per sampled step
- `LayerTable`: values by step, measure and layer; never more than 1,024 steps
- `TrainingRecord`: what was measured during a training run
- `TrialResult`: what one trial of a study gave
- `VariableInfo`: a trainable variable of a watched model
"""

from typing import TYPE_CHECKING

from keras_dlbasic._front import front
from keras_dlbasic.records.layer_table import LayerTable
from keras_dlbasic.records.record_data import MEASURES, SCALARS
from keras_dlbasic.records.training_record import TrainingRecord
from keras_dlbasic.records.trial_result import TrialResult
from keras_dlbasic.records.variable_info import VariableInfo

__all__ = [
    "MEASURES",
    "SCALARS",
    "LayerTable",
    "TrainingRecord",
    "TrialResult",
    "VariableInfo",
]

if not TYPE_CHECKING:
    __getattr__, __dir__ = front(__name__)
