"""The random generators of the process, kept as they are."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module

import keras
import numpy as np


@contextmanager
def generators_kept() -> Iterator[None]:
    """Put the generators of Python, NumPy and PyTorch back in the end.

    Reading a data set draws from them: a `DataLoader` of PyTorch for each pass, and
    data sets that shuffle themselves. TensorFlow and JAX have no generator of the
    process that Keras draws from.
    """
    python, numpy = random.getstate(), np.random.get_state()
    torch = None
    if keras.backend.backend() == "torch":
        torch = import_module("keras_dlbasic._backends.torch.tap").Generators()
    try:
        yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)
        if torch is not None:
            torch.restore()
