"""TensorFlow's global seed, which `keras.utils.set_random_seed` sets too."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tensorflow.python.eager import context


@contextmanager
def global_seed_kept() -> Iterator[None]:
    """Put the global seed back in the end, and the generator that follows from it."""
    held: Any = context.context()
    # TensorFlow has a setter only, which would start the generator anew
    names = ("_seed", "_rng")
    before = {name: getattr(held, name) for name in names if hasattr(held, name)}
    try:
        yield
    finally:
        vars(held).update(before)
