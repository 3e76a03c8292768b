"""One process for trials, used again and again, for processes with busy threads."""

from __future__ import annotations

import multiprocessing
import threading
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Any

import keras

from keras_dlbasic._trials.process_pool import process_pool

IDLE_SECONDS = 300.0
"""After so long without a trial its memory is given back."""


class LoneWorker:
    """A process in which nothing but trials runs, started when it is first needed."""

    def __init__(self) -> None:
        self._pool: Executor | None = None

    def is_needed(self) -> bool:
        """Return whether threads here could disturb a trial, and a process would not.

        Two processes would fight for the memory of an accelerator, and daemonic ones
        may have no children.
        """
        if multiprocessing.current_process().daemon or _has_accelerator():
            return False
        others = set(threading.enumerate()) - {threading.current_thread()}
        # a backend's own threads show up as dummies: they work for the trial
        return any(not isinstance(t, threading._DummyThread) for t in others)

    def run(self, function: Callable[..., Any], *args: Any) -> Any:
        """Return what `function(*args)` returns there.

        Raises:
            BrokenExecutor: If the process died. The next call starts another.
        """
        if self._pool is None:
            self._pool = process_pool(1, idle_seconds=IDLE_SECONDS)
        return self._pool.submit(function, *args).result()


def _has_accelerator() -> bool:
    # where Keras puts a tensor; asking for devices may claim them
    return "cpu" not in str(keras.ops.zeros(()).device).lower()
