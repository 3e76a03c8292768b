"""A layer whose calls pass through a function of ours, for a while."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

_MISSING = object()


@contextmanager
def intercepted(layer: Any, function: Callable[..., Any]) -> Iterator[None]:
    """Have `layer.call(...)` run as `function(call, ...)` within the context.

    Only this instance is changed, by an entry in its `__dict__` that Keras does not
    track and that goes with the context.
    """
    original = layer.call

    def call(*args: Any, **kwargs: Any) -> Any:
        return function(original, *args, **kwargs)

    with replaced(layer, "call", call):
        yield


@contextmanager
def replaced(thing: Any, name: str, value: Any) -> Iterator[None]:
    """Have `thing.name` be `value` within the context, past Keras' tracking."""
    attributes = vars(thing)
    own = attributes.get(name, _MISSING)
    attributes[name] = value
    try:
        yield
    finally:
        if own is _MISSING:
            del attributes[name]
        else:
            attributes[name] = own
