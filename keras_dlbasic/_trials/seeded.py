"""Code that starts from a seed and leaves the generators of the process alone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from importlib import import_module

import keras

from keras_dlbasic._backends.generators import generators_kept
from keras_dlbasic._trials.quiet import no_retracing_warnings


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Start all generators from `seed`, and put them back in the end.

    These are the generators of Python, NumPy, PyTorch and TensorFlow. Keras' own global
    `SeedGenerator` cannot be read: it is made anew from Python's when it is next used.

    Generators belong to the whole process: what other threads draw meanwhile is drawn
    from the same ones. Where that matters, trials run in a process of their own.
    """
    with ExitStack() as kept:
        kept.enter_context(generators_kept())
        kept.enter_context(no_retracing_warnings())
        if keras.backend.backend() == "tensorflow":
            module = import_module("keras_dlbasic._backends.tensorflow.global_seed")
            kept.enter_context(module.global_seed_kept())
        keras.utils.set_random_seed(int(seed))
        yield
