"""How many threads a backend splits sums between, which is seen in the last bits."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import keras


def backend_threads() -> int:
    """Return between how many threads the backend splits one operation."""
    backend = keras.backend.backend()
    # the module that Keras has imported: nothing is imported here
    module: Any = sys.modules.get(backend)
    if backend == "torch":
        return int(module.get_num_threads())
    if backend == "tensorflow":
        configured = module.config.threading.get_intra_op_parallelism_threads()
        return int(configured) or _processors()
    return _processors()


@contextmanager
def with_threads(number: int) -> Iterator[None]:
    """Split operations between this many threads, where that can be set meanwhile.

    Dask starts its workers with `OMP_NUM_THREADS=1`, which PyTorch obeys. TensorFlow
    and JAX go by the processors a process may run on, and fix it when they start.
    """
    before = backend_threads()
    if keras.backend.backend() != "torch" or before == number:
        yield
        return
    torch: Any = sys.modules["torch"]
    torch.set_num_threads(number)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _processors() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
