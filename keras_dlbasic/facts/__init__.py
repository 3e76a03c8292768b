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

from keras_dlbasic.facts.capacity_report import CapacityReport, capacity_report
from keras_dlbasic.facts.collect import data_facts
from keras_dlbasic.facts.input_facts import input_facts
from keras_dlbasic.facts.network_facts import network_facts
from keras_dlbasic.facts.preflight import preflight
from keras_dlbasic.facts.probe import Probe
from keras_dlbasic.facts.run_facts import run_facts
from keras_dlbasic.facts.target_facts import target_facts
from keras_dlbasic.facts.validation_facts import validation_facts

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
