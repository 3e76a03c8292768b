"""The random generators of the process, kept as they are."""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from threading import get_ident
from typing import Any

import keras
import numpy as np

from keras_dlbasic.gradients.drawing_from import (
    SHARED,
    drawing_from,
    generators_here,
)


@contextmanager
def generators_kept(start: Any = None) -> Iterator[None]:
    """Leave the generators of Python, NumPy and PyTorch as they are found.

    Whatever runs a model of the user's in a fit, or reads a data set, does so in this
    context: layers may draw, a `DataLoader` of PyTorch draws for each pass, and data
    sets shuffle themselves. PyTorch's generators of accelerators are among them, unless
    the accelerator has not been started.

    Other threads may draw at the same time, such as those in which TensorFlow has a
    `PyDataset` read. What they have drawn must not be taken back. So this thread draws
    from copies, and only what it drew from the generators themselves (by a name such as
    `from random import randint`) is taken back, if no other thread drew meanwhile.

    Generators that a layer or a data set holds itself are not known here. JAX has none;
    TensorFlow's are seen to by `signals.run_apart`.

    Args:
        start: What `copied_generators` returned, for Python's and NumPy's to start
            from. Defaults to None: they go on from where they are.
    """
    python, numpy = copied_generators(start)
    states = SHARED[0].getstate(), SHARED[1].get_state(legacy=False)
    torch = None
    if keras.backend.backend() == "torch":
        torch = import_module("keras_dlbasic.gradients.torch_backend").Generators()
    owner = get_ident()
    with drawing_from(python, numpy, lambda: get_ident() == owner) as drawing:
        try:
            yield
        finally:
            if not drawing.others_drew:
                SHARED[0].setstate(states[0])
                SHARED[1].set_state(states[1])
            if torch is not None:
                torch.restore()


def copied_generators(of: Any = None) -> tuple[Any, Any]:
    """Return copies of generators of Python and NumPy: of those of this thread."""
    python, numpy = generators_here() if of is None else of
    own = random.Random(0)
    own.setstate(python.getstate())
    state = numpy.get_state(legacy=False)
    if state["bit_generator"] != "MT19937":  # by `numpy.random.set_bit_generator`
        return own, copy.deepcopy(numpy)
    other = np.random.RandomState(0)
    other.set_state(state)
    return own, other
