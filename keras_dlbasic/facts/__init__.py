"""What is known of a model and its data before it is trained."""

from keras_dlbasic.facts.collect import data_facts
from keras_dlbasic.facts.input_facts import input_facts
from keras_dlbasic.facts.network_facts import network_facts
from keras_dlbasic.facts.preflight import preflight
from keras_dlbasic.facts.probe import Probe
from keras_dlbasic.facts.run_facts import run_facts
from keras_dlbasic.facts.target_facts import target_facts
from keras_dlbasic.facts.validation_facts import validation_facts

__all__ = [
    "Probe",
    "data_facts",
    "input_facts",
    "network_facts",
    "preflight",
    "run_facts",
    "target_facts",
    "validation_facts",
]
