"""Functions that are compiled for one or a few calls."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_is_once: ContextVar[bool] = ContextVar("keras_dlbasic_run_once", default=False)


@contextmanager
def run_once() -> Iterator[None]:
    """Have functions that are made in this context compiled with less effort.

    On JAX and a CPU that takes half the time to compile, and more to run; the results
    are the same but for rounding. The other backends are as ever.
    """
    token = _is_once.set(True)
    try:
        yield
    finally:
        _is_once.reset(token)


def is_once() -> bool:
    """Return whether functions are made for one or a few calls."""
    return _is_once.get()
