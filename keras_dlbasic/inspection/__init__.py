"""What is known of a model and its data before it is trained.

- `CapacityReport`: what `capacity_report` found
- `Probe`: a few rows on which a model is looked at
- `capacity_report`: tell how much a model can hold
- `data_facts`: describe the data of a fit
- `input_facts`: describe inputs
- `network_facts`: describe a model
- `preflight`: find what can be known before the first step
- `run_facts`: describe how a fit runs
- `target_facts`: describe targets
- `validation_facts`: compare validation with training
"""

from typing import TYPE_CHECKING

from keras_dlbasic._front import front
from keras_dlbasic.inspection.capacity_report import CapacityReport, capacity_report
from keras_dlbasic.inspection.collect import data_facts
from keras_dlbasic.inspection.input_facts import input_facts
from keras_dlbasic.inspection.network_facts import network_facts
from keras_dlbasic.inspection.preflight import preflight
from keras_dlbasic.inspection.probe import Probe
from keras_dlbasic.inspection.run_facts import run_facts
from keras_dlbasic.inspection.target_facts import target_facts
from keras_dlbasic.inspection.validation_facts import validation_facts

__all__ = [
    "CapacityReport",
    "Probe",
    "capacity_report",
    "data_facts",
    "input_facts",
    "network_facts",
    "preflight",
    "run_facts",
    "target_facts",
    "validation_facts",
]

if not TYPE_CHECKING:
    __getattr__, __dir__ = front(__name__)
