"""Random numbers of a trial, kept from threads that are none of its business."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from keras_dlbasic.gradients.drawing_from import SHARED, drawing_from

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
    states = SHARED[0].getstate(), SHARED[1].get_state(legacy=False)
    SHARED[0].seed(seed)
    SHARED[1].seed(seed)
    own = random.Random(seed), np.random.RandomState(seed)
    _guarding.active = True
    try:
        with drawing_from(*own, lambda: threading.current_thread() not in strangers):
            yield
    finally:
        _guarding.active = False
        SHARED[0].setstate(states[0])
        SHARED[1].set_state(states[1])


def _strangers() -> set[threading.Thread]:
    # a backend's own threads show up as dummies: they work for the trial
    return {
        thread
        for thread in threading.enumerate()
        if thread is not threading.current_thread()
        and not isinstance(thread, threading._DummyThread)
    }
