"""Checks of a model and its data before training.

- `CapacityReport`: the result of `capacity_report`
- `capacity_report`: count parameters by layer and per training sample
- `preflight`: find problems before the first training step
"""

from typing import TYPE_CHECKING

from keras_dlbasic._front import front
from keras_dlbasic.inspection.capacity_report import CapacityReport, capacity_report
from keras_dlbasic.inspection.preflight import preflight

__all__ = [
    "CapacityReport",
    "capacity_report",
    "preflight",
]

if not TYPE_CHECKING:
    __getattr__, __dir__ = front(__name__)
