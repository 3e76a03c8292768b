"""Reports of fits that follow each other."""

from __future__ import annotations

import sys

from keras_dlbasic._display import wrapped
from keras_dlbasic.diagnosis import Diagnosis
from keras_dlbasic.records.printable import printable_text
from keras_dlbasic.reports.terminal import print_diagnosis


def print_new(diagnosis: Diagnosis, last: Diagnosis | None) -> None:
    """Print a diagnosis, in short if the last fit ended with the same findings.

    Args:
        diagnosis: The diagnosis of a fit.
        last: That of the fit before; None if there was none.

    Example:
    >>> from keras_dlbasic.diagnosis import Diagnosis, Finding
    >>> found = Finding("plateau", "symptom", "warning", "The loss does not decrease.")
    >>> diagnosis = Diagnosis([found])
    >>> print_new(diagnosis, diagnosis)
    Diagnosis: as after the last fit, WARNING plateau. `print(doctor.diagnosis)`
      shows all of it.
    """
    found = _findings(diagnosis)
    if last is None or not found or found != _findings(last):
        print_diagnosis(diagnosis)
    elif sys.stdout is not None:
        names = ", ".join(f"{severity.upper()} {name}" for name, severity, _ in found)
        text = wrapped(
            f"Diagnosis: as after the last fit, {names}. `print(doctor.diagnosis)` "
            "shows all of it."
        )
        sys.stdout.write(printable_text(text) + "\n")


def _findings(diagnosis: Diagnosis) -> list[tuple[str, str, str | None]]:
    """Return what a diagnosis says, without measurements."""
    serious = (finding for finding in diagnosis.top_level if finding.rank)
    return [(f.name, f.severity, f.output) for f in serious]
