"""Advice on moving statistics that are still near their initial values."""

from __future__ import annotations

from keras_dlbasic.diagnosis import suggest
from keras_dlbasic.diagnosis.remedy_suggestion import RemedySuggestion

LAGGING = 0.05
"""With more of the initial statistics left, they are not yet those of the data."""

MOMENTA = (0.9, 0.5)
"""Those that are advised, the steadiest first."""


def still_lags(momentum: float, updates: int) -> bool:
    """Return whether moving statistics are still near their initial values.

    Args:
        momentum: That of the normalization, from 0 to below 1.
        updates: Number of updates of the run; 0 if not known.
    """
    return bool(updates) and momentum**updates > LAGGING


def faster_momentum(momentum: float, updates: int) -> RemedySuggestion | None:
    """Suggest a momentum with which moving statistics adapt within a run.

    Args:
        momentum: That of the normalization, from 0 to below 1.
        updates: Number of updates of the run.

    Returns:
        The highest lower one with which hardly anything of the initial statistics is
        left after the run; None if there is none.

    Example:
    >>> from keras_dlbasic.diagnosis.momentum_advice import faster_momentum
    >>> faster_momentum(0.99, updates=100).kwargs
    {'momentum': 0.9}
    >>> faster_momentum(0.99, updates=3) is None
    True
    """
    why = "the moving statistics then adapt in time"
    for lower in MOMENTA:
        if lower < momentum and lower**updates <= LAGGING:
            return suggest.momentum(why, lower)
    return None
