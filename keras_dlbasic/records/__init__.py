"""The measurements of a run, as labeled NumPy arrays. Needs no Keras.

- `MEASURES`: the measures per sampled step and variable
- `SCALARS`: the measures per sampled step
- `BatchFacts`: facts about the batches of a fit
- `DataFacts`: facts about the data of a fit
- `InputFacts`: facts about an array of inputs
- `LayerFacts`: facts about a layer
- `LayerTable`: measurements by step and layer; at most 1,024 steps
- `ModelFacts`: facts about a model
- `OutputFacts`: facts about an output
- `ProbeFacts`: facts about the rows on which a model is evaluated
- `RunFacts`: facts about a run besides its measurements
- `TargetFacts`: facts about the targets of an output
- `TrainingRecord`: the measurements of a training run
- `TrialResult`: the result of one trial of a study
- `ValidationFacts`: validation data compared with training data
- `VariableInfo`: a trainable variable of a model
- `WeightFacts`: facts about sample weights
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
from keras_dlbasic.records.facts import RunFacts
from keras_dlbasic.records.layer_table import LayerTable
from keras_dlbasic.records.model_facts import LayerFacts, ModelFacts, OutputFacts
from keras_dlbasic.records.probe_facts import ProbeFacts
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
