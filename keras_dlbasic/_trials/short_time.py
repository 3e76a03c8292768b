"""A time in the unit that people would say it in."""

from __future__ import annotations


def short_time(seconds: float) -> str:
    """Return a time as text.

    Example:
    >>> from keras_dlbasic._trials.short_time import short_time
    >>> short_time(12.3), short_time(600), short_time(9000)
    ('12 s', '10 min', '2.5 h')
    """
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 90 * 60:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"
