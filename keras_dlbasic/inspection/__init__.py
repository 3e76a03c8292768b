"""What is known of a model and its data before it is trained.

- `CapacityReport`: what `capacity_report` found
- `capacity_report`: tell how much a model can hold
- `preflight`: find what can be known before the first step
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
