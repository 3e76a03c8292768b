"""What a report is asked to show."""

from __future__ import annotations

from typing import Any

from keras_dlbasic._arguments import shown
from keras_dlbasic.diagnosis import Diagnosis


def diagnosis_of(given: Any) -> Diagnosis:
    """Return the diagnosis that was given, or that of a `TrainingDoctor`.

    Raises:
        TypeError: If it is neither.
        ValueError: If the callback has not seen a fit yet.
    """
    found = given.diagnosis if hasattr(type(given), "diagnosis") else given
    if not isinstance(found, Diagnosis):
        raise TypeError(
            "`diagnosis` must be a `Diagnosis`, such as `doctor.diagnosis` or what "
            f"`kd.diagnose(record)` returns. Received: {shown(given)}"
        )
    return found
