"""The former name of `keras_dlbasic.inspection`, kept for existing code."""

from typing import TYPE_CHECKING

from keras_dlbasic._front import front
from keras_dlbasic.inspection import CapacityReport, capacity_report, preflight
from keras_dlbasic.inspection.collect import data_facts
from keras_dlbasic.inspection.input_facts import input_facts
from keras_dlbasic.inspection.network_facts import network_facts
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
