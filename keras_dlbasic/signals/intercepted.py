"""A layer whose calls pass through a function of ours, for a while."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def intercepted(layer: Any, function: Callable[..., Any]) -> Iterator[None]:
    """Have `layer.call(...)` run as `function(call, ...)` within the context.

    Only this instance is changed, by an entry in its `__dict__` that is not tracked by
    Keras and goes with the context.
    """
    attributes = vars(layer)
    own = attributes.get("call")
    original = layer.call

    def call(*args: Any, **kwargs: Any) -> Any:
        return function(original, *args, **kwargs)

    attributes["call"] = call
    try:
        yield
    finally:
        if own is None:
            del attributes["call"]
        else:
            attributes["call"] = own


@contextmanager
def replaced(thing: Any, name: str, value: Any) -> Iterator[None]:
    """Have `thing.name` be `value` within the context, past Keras' tracking."""
    attributes = vars(thing)
    own = attributes[name]
    attributes[name] = value
    try:
        yield
    finally:
        attributes[name] = own
