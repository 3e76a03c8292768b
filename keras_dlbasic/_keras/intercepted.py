"""A layer whose calls pass through a function of ours, for a while."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial
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


@contextmanager
def all_intercepted(
    layers: Mapping[str, Any], function: Callable[..., Any]
) -> Iterator[None]:
    """Have each `layer.call(...)` run as `function(name, call, ...)` in the context.

    Args:
        layers: The layers by name.
        function: Takes the name, the `call` of the layer and its arguments.
    """
    with ExitStack() as stack:
        for name, layer in layers.items():
            stack.enter_context(intercepted(layer, partial(function, name)))
        yield
