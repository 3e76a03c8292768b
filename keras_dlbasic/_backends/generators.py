"""The random generators of the process, kept as they are."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

import keras
import numpy as np

from keras_dlbasic._backends.may_draw import may_draw


@contextmanager
def generators_kept(*code: Any) -> Iterator[None]:
    """Leave the generators of Python, NumPy and PyTorch as they are found.

    Whatever runs a model of the user's in a fit, or reads a data set, does so in this
    context: layers may draw, a `DataLoader` of PyTorch draws for each pass, and data
    sets shuffle themselves. PyTorch's generators of accelerators are among them, unless
    the accelerator has not been started.

    Other threads may draw meanwhile, such as those in which TensorFlow has a
    `PyDataset` read. What they have drawn must not be taken back. So Python's and
    NumPy's generators are put back only if what runs here may draw from them.

    Generators that a layer or a data set holds itself are not known here. JAX has none;
    TensorFlow's are seen to by `run_apart`.

    Args:
        *code: The models and losses that run in the context, if it is known that
            nothing else does. See `may_draw`.
    """
    state = shared_state() if not code or may_draw(*code) else None
    # PyTorch's generators are put back in any case: its own code draws from them, a
    # `DataLoader` or `dropout`, which no reading of the user's code would show.
    torch = None
    if keras.backend.backend() == "torch":
        torch = import_module("keras_dlbasic._backends.torch.tap").Generators()
    try:
        yield
    finally:
        if state is not None:
            set_shared_state(state)
        if torch is not None:
            torch.restore()


def shared_state() -> tuple[Any, Any]:
    """Return the states of the generators of Python and NumPy."""
    return random.getstate(), np.random.get_state(legacy=False)


def set_shared_state(state: tuple[Any, Any]) -> None:
    """Set the states of the generators of Python and NumPy."""
    random.setstate(state[0])
    np.random.set_state(state[1])
