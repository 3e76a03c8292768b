"""Models run without what a gradient would need."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from importlib import import_module
from typing import Any

import keras


def without_gradients() -> AbstractContextManager[Any]:
    """Return a context in which PyTorch keeps nothing for a backward pass.

    The other backends keep nothing unless they are asked to.
    """
    if keras.backend.backend() != "torch":
        return nullcontext()
    return import_module("keras_dlbasic._backends.torch.look").no_gradients()
