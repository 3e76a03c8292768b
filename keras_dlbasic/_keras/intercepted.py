"""A layer whose calls pass through a function of ours, for a while."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from keras_dlbasic._backends.intercept import replaced


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
