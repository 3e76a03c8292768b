"""Other generators behind the functions of `random` and `numpy.random`."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from threading import Lock
from typing import Any

import numpy as np

_functions_of_both: tuple[Any, Any] = (random.random, np.random.random_sample)
SHARED: tuple[Any, Any] = tuple(f.__self__ for f in _functions_of_both)
"""The generators of the process, Python's and NumPy's."""


@dataclass(eq=False)
class Drawing:
    """Who draws from which generators for a while.

    Attributes:
        python: A `random.Random`.
        numpy: A `numpy.random.RandomState`.
        is_own: Tells whether the running thread draws from these.
        others_drew: Whether another thread drew from the process's own meanwhile.
    """

    python: Any
    numpy: Any
    is_own: Callable[[], bool]
    others_drew: bool = False


@contextmanager
def drawing_from(python: Any, numpy: Any, is_own: Callable[[], bool]) -> Iterator[Any]:
    """Have functions of `random` and `numpy.random` draw from other generators.

    Only threads of which `is_own()` is true do; others go on with what they drew from
    before. Contexts may be nested, and entered by several threads: the newest that a
    thread belongs to counts.

    Code that holds a function by another name (`from random import randint`) still
    draws from the process's generators.

    Yields:
        The `Drawing`.
    """
    global _drawings
    drawing = Drawing(python, numpy, is_own)
    with _lock:
        if not _drawings:
            _install()
        # never changed in place, since other threads go through it
        _drawings = (*_drawings, drawing)
    try:
        yield drawing
    finally:
        with _lock:
            _drawings = tuple(known for known in _drawings if known is not drawing)
            if not _drawings:
                _uninstall()


def generators_here() -> tuple[Any, Any]:
    """Return what this thread draws from: Python's generator and NumPy's."""
    for drawing in reversed(_drawings):
        if drawing.is_own():
            return drawing.python, drawing.numpy
    return SHARED


_drawings: tuple[Drawing, ...] = ()
_lock = Lock()


def _drawn(original: Any, kind: str) -> Any:
    method = original.__name__  # `choice` of the module may be an alias

    @wraps(original)
    def draw(*args: Any, **kwargs: Any) -> Any:
        drawings = _drawings
        for drawing in reversed(drawings):
            if drawing.is_own():
                return getattr(getattr(drawing, kind), method)(*args, **kwargs)
        for drawing in drawings:
            drawing.others_drew = True
        return original(*args, **kwargs)

    return draw


def _functions(module: Any, shared: Any, kind: str) -> list[tuple[Any, str, Any, Any]]:
    """List the functions of a module that draw from the generator they share."""
    return [
        (module, name, function, _drawn(function, kind))
        for name, function in vars(module).items()
        if getattr(function, "__self__", None) is shared
    ]


_replaced = [
    *_functions(random, SHARED[0], "python"),
    *_functions(np.random, SHARED[1], "numpy"),
]


def _install() -> None:
    for module, name, _, draw in _replaced:
        setattr(module, name, draw)


def _uninstall() -> None:
    for module, name, function, _ in _replaced:
        setattr(module, name, function)
