"""Whether an error says that memory has run out, and giving back what it held."""

from __future__ import annotations

import gc
import traceback
from collections.abc import Iterator
from importlib import import_module

import keras

NAMES = ("OutOfMemoryError", "ResourceExhaustedError", "MemoryError")
"""Classes of PyTorch's (of each accelerator), TensorFlow's and Python's errors."""

WORDS = (
    "RESOURCE_EXHAUSTED",  # XLA, whose errors are all of one class
    "out of memory",
    "not enough memory",  # PyTorch on the processor
    "CUBLAS_STATUS_ALLOC_FAILED",
    "CUDNN_STATUS_ALLOC_FAILED",
    "failed to allocate memory",
)


def memory_error(error: BaseException) -> BaseException | None:
    """Return the error that says so, of an error and those that it was raised for.

    None if it is about something else. Keras raises others in its place, the first one
    is the backend's own.
    """
    about = [each for each in _chain(error) if _is_about_memory(each)]
    return about[-1] if about else None


def let_go(error: BaseException) -> None:
    """Let go of all that an error keeps alive: the tensors of the step it ended."""
    for each in list(_chain(error)):
        traceback.clear_frames(each.__traceback__)
        each.__traceback__ = None


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def _is_about_memory(error: BaseException) -> bool:
    names = {kind.__name__ for kind in type(error).__mro__}
    text = str(error).lower()
    return bool(names & set(NAMES)) or any(word.lower() in text for word in WORDS)


def give_back_memory() -> None:
    """Have the backend give back memory that nothing uses any more."""
    gc.collect()  # models refer to themselves in cycles
    if keras.backend.backend() != "torch":
        return  # the others take from their own pool what is free there
    torch = import_module("torch")
    for accelerator in (getattr(torch, name, None) for name in ("cuda", "xpu")):
        if accelerator is not None and accelerator.is_initialized():
            accelerator.empty_cache()
    if torch.backends.mps.is_available():
        torch.mps.empty_cache()
