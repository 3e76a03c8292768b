"""Random numbers of a trial, kept from threads that are none of its business."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any

import numpy as np

_guarding = threading.local()


@contextmanager
def own_generators(seed: int) -> Iterator[None]:
    """Give a trial its own Python and NumPy generators, whatever other threads draw.

    Keras draws the seeds of layers from Python's generator, and on JAX the order of the
    samples from NumPy's. Both belong to the whole process: the event loop of a Dask
    worker, which draws from Python's whenever it weighs a message, changed initial
    weights now and then. Meanwhile the functions of the modules `random` and
    `numpy.random` draw from new generators. Threads that run already draw from the
    process's ones as before; threads that start meanwhile belong to the trial.

    The process's generators start from `seed` too, for code that holds them by another
    name (`from random import randint`), and are put back afterwards.
    """
    if getattr(_guarding, "active", False):
        yield
        return
    strangers = _strangers()
    python_state, numpy_state = random.getstate(), np.random.get_state()
    replaced = [
        (module, name, function)
        for module, shared, _ in _generators()
        for name, function in vars(module).items()
        if getattr(function, "__self__", None) is shared
    ]
    new = {module: make(seed) for module, _, make in _generators()}
    random.seed(seed)
    np.random.seed(seed)
    _guarding.active = True
    # strangers may hold the original functions already: these stay theirs
    for module, name, function in replaced:
        own = getattr(new[module], function.__name__)
        setattr(module, name, _by_thread(own, function, strangers))
    try:
        yield
    finally:
        for module, name, function in replaced:
            setattr(module, name, function)
        _guarding.active = False
        random.setstate(python_state)
        np.random.set_state(numpy_state)


def _strangers() -> set[threading.Thread]:
    # a backend's own threads show up as dummies: they work for the trial
    return {
        thread
        for thread in threading.enumerate()
        if thread is not threading.current_thread()
        and not isinstance(thread, threading._DummyThread)
    }


def _generators() -> list[tuple[Any, Any, Callable[[int], Any]]]:
    """Return modules, the generator their functions share, and how to make another."""
    python: Any = random.random
    numpy: Any = np.random.random_sample
    return [
        (random, python.__self__, random.Random),
        (np.random, numpy.__self__, np.random.RandomState),
    ]


def _by_thread(own: Any, other: Any, strangers: set[threading.Thread]) -> Any:
    @wraps(own)
    def draw(*args: Any, **kwargs: Any) -> Any:
        if threading.current_thread() in strangers:
            return other(*args, **kwargs)
        return own(*args, **kwargs)

    return draw
