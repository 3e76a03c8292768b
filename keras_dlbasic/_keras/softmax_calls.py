"""Calls of a softmax within the layers of a model."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, NamedTuple

import keras

MAX_DEPTH = 60
"""Number of frames that are searched for the layer in which a softmax is called."""


class SoftmaxCall(NamedTuple):
    """A softmax that was computed.

    Attributes:
        layer: The innermost layer, but for a `Softmax`, in whose call it was.
        scores: What it was given.
        weights: What it gave.
        axis: The axis along which they add up to 1.
    """

    layer: Any
    scores: Any
    weights: Any
    axis: int


@contextmanager
def softmax_calls() -> Iterator[list[SoftmaxCall]]:
    """Within the context, note each softmax of Keras that this thread computes.

    Nothing is noted if a profiler is running.

    Example:
    >>> import keras, numpy as np
    >>> from keras_dlbasic._keras.softmax_calls import softmax_calls
    >>> with softmax_calls() as calls:
    ...     weights = keras.layers.Softmax()(np.zeros((2, 3), "float32"))
    >>> len(calls), calls[0].axis
    (1, -1)
    """
    functions = keras.ops.softmax, keras.activations.softmax
    known = {inspect.unwrap(function).__code__ for function in functions}
    calls: list[SoftmaxCall] = []
    given: dict[int, tuple[Any, Any]] = {}
    if sys.getprofile() is not None:
        yield calls
        return

    # Nothing of Keras is replaced: the interpreter says which functions are called. A
    # function may give its argument another value, so that is read as it begins.
    def note(frame: FrameType, event: str, result: Any) -> None:
        if frame.f_code not in known:
            return
        if event == "call":
            values = frame.f_locals
            given[id(frame)] = values.get("x"), values.get("axis", -1)
        elif event == "return":
            scores, axis = given.pop(id(frame), (None, None))
            if scores is None or result is None or not isinstance(axis, int):
                return
            if calls and calls[-1].weights is result:  # one of both called the other
                return
            calls.append(SoftmaxCall(_owner(frame), scores, result, axis))

    sys.setprofile(note)
    try:
        yield calls
    finally:
        sys.setprofile(None)


def _owner(frame: FrameType) -> Any:
    back, depth = frame.f_back, 0
    while back is not None and depth < MAX_DEPTH:
        owner = back.f_locals.get("self")
        is_layer = isinstance(owner, keras.layers.Layer)
        if is_layer and not isinstance(owner, keras.layers.Softmax):
            return owner
        back, depth = back.f_back, depth + 1
    return None
