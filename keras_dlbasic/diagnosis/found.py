"""The form in which rules used to return a finding."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

from keras_dlbasic._wrong_arguments import names_nearest
from keras_dlbasic.diagnosis.finding import Finding, Severity
from keras_dlbasic.diagnosis.remedy_suggestion import RemedySuggestion


@names_nearest
def Found(  # noqa: N802 - it was a class
    severity: Severity,
    message: str,
    risk: Severity | None = None,
    remedies: tuple[RemedySuggestion, ...] = (),
    details: Mapping[str, Any] | None = None,
    note: bool = True,
) -> Finding:
    """Return a `Finding`. Deprecated: use `Finding(...)` instead.

    Args:
        severity: As for `Finding`.
        message: As for `Finding`.
        risk: As for `Finding`. Defaults to None.
        remedies: As for `Finding`. Defaults to none.
        details: Further fields of `Finding` by name: layer, epoch, step, value,
            threshold, confidence, evidence. Defaults to none.
        note: As for `Finding`. Defaults to `True`.

    Returns:
        The `Finding`.

    Raises:
        TypeError: If `details` has an unknown field.
        ValueError: If a severity is unknown.

    Example:
    >>> import keras_dlbasic as kd
    >>> import warnings
    >>> with warnings.catch_warnings(action="ignore"):
    ...     finding = kd.diagnosis.Found("warning", "Odd.", details={"value": 2.0})
    >>> finding.value, finding.message
    (2.0, 'Odd.')
    """
    warnings.warn(
        "`Found` is deprecated. Return `Finding(severity=..., message=...)` with "
        "`value=`, `threshold=` and the like as arguments of their own.",
        DeprecationWarning,
        stacklevel=2,
    )
    return Finding(
        severity=severity,
        message=message,
        risk=risk,
        remedies=remedies,
        note=note,
        **(details or {}),
    )
