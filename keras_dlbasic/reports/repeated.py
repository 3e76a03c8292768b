"""Reports of fits that follow each other."""

from __future__ import annotations

import sys

from keras_dlbasic._display import wrapped
from keras_dlbasic.diagnosis import Diagnosis, Finding
from keras_dlbasic.records.printable import printable_text
from keras_dlbasic.reports.terminal import print_diagnosis

Said = tuple[str, str, str | None, str | None]
"""Name, severity, output and layer of a finding."""


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
        names = ", ".join(f"{severity.upper()} {name}" for name, severity, *_ in found)
        text = wrapped(
            f"Diagnosis: as after the last fit, {names}. `print(doctor.diagnosis)` "
            "shows all of it."
        )
        sys.stdout.write(printable_text(text) + "\n")


def is_in(finding: Finding, diagnosis: Diagnosis | None) -> bool:
    """Return whether a diagnosis has a finding, perhaps with other measurements.

    Args:
        finding: A finding.
        diagnosis: The diagnosis; None for none.
    """
    return diagnosis is not None and _said(finding) in _findings(diagnosis)


def _findings(diagnosis: Diagnosis) -> list[Said]:
    """Return what a diagnosis says, without measurements."""
    return [_said(finding) for finding in diagnosis.top_level if finding.rank]


def _said(finding: Finding) -> Said:
    return finding.name, finding.severity, finding.output, finding.layer
