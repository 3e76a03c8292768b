"""What was measured in a run, as NumPy arrays with labels. Knows no Keras.

- `MEASURES`: what is measured per sampled step and variable
- `SCALARS`: what is measured per sampled step
- `BatchFacts`: what the batches of a fit are like
- `DataFacts`: what is known of the data of a fit
- `InputFacts`: what is known of an array of inputs
- `LayerFacts`: what is known of a layer
- `LayerTable`: values by step, measure and layer; never more than 1,024 steps
- `ModelFacts`: what is known of a model
- `OutputFacts`: what is known of an output
- `ProbeFacts`: what is known of the rows on which a model is evaluated
- `RunFacts`: all that is known of a run besides its measurements
- `TargetFacts`: what is known of the targets of an output
- `TrainingRecord`: what was measured during a training run
- `TrialResult`: what one trial of a study gave
- `ValidationFacts`: validation data compared with training data
- `VariableInfo`: a trainable variable of a watched model
- `WeightFacts`: what weights rows have in the loss
"""

from typing import TYPE_CHECKING

from keras_dlbasic._front import front
from keras_dlbasic.records.data_facts import (
    BatchFacts,
    DataFacts,
    InputFacts,
    TargetFacts,
    ValidationFacts,
    WeightFacts,
)
from keras_dlbasic.records.facts import ProbeFacts, RunFacts
from keras_dlbasic.records.layer_table import LayerTable
from keras_dlbasic.records.model_facts import LayerFacts, ModelFacts, OutputFacts
from keras_dlbasic.records.record_data import MEASURES, SCALARS
from keras_dlbasic.records.training_record import TrainingRecord
from keras_dlbasic.records.trial_result import TrialResult
from keras_dlbasic.records.variable_info import VariableInfo

__all__ = [
    "MEASURES",
    "SCALARS",
    "BatchFacts",
    "DataFacts",
    "InputFacts",
    "LayerFacts",
    "LayerTable",
    "ModelFacts",
    "OutputFacts",
    "ProbeFacts",
    "RunFacts",
    "TargetFacts",
    "TrainingRecord",
    "TrialResult",
    "ValidationFacts",
    "VariableInfo",
    "WeightFacts",
]

if not TYPE_CHECKING:
    __getattr__, __dir__ = front(__name__)
