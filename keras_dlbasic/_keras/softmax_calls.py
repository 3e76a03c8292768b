"""Calls of a softmax within the layers of a model."""

from __future__ import annotations

import inspect
import math
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, NamedTuple

import keras

MAX_DEPTH = 60
"""Number of frames that are searched for the layer in which a softmax is called."""

LEAST_RANK = 3
"""Scores of attention have axes of rows, queries and keys."""


class TooManyScoresError(Exception):
    """A softmax has more scores than it may have."""


class SoftmaxCall(NamedTuple):
    """A softmax that was computed.

    Attributes:
        layer: The innermost layer, but for a `Softmax`, in whose call it was.
        shape: Shape of its scores.
        axis: The axis along which they add up to 1.
        is_attention: Whether the scores are of queries and keys: a product of two
            activations or, if no product is known, as many keys as queries.
        measured: What was measured of it.
    """

    layer: Any
    shape: tuple[int, ...]
    axis: int
    is_attention: bool
    measured: Any = None


@contextmanager
def softmax_calls(
    measure: Callable[[Any, Any, int], Any] | None = None, most: int | None = None
) -> Iterator[list[SoftmaxCall]]:
    """Within the context, note each softmax of Keras that this thread computes.

    Nothing is noted if a profiler is running. No tensor is kept.

    Args:
        measure: Takes scores, weights and their axis, and returns what is kept of them.
            A call in which it raises is left out. Defaults to None: nothing is.
        most: If a softmax or a product of two activations has more entries,
            `TooManyScoresError` is raised, so that they are not computed. Defaults to
            None: no limit.

    Example:
    >>> import keras, numpy as np
    >>> from keras_dlbasic._keras.softmax_calls import softmax_calls
    >>> with softmax_calls() as calls:
    ...     weights = keras.layers.Softmax()(np.zeros((2, 3), "float32"))
    >>> len(calls), calls[0].axis
    (1, -1)
    """
    calls: list[SoftmaxCall] = []
    if sys.getprofile() is not None:
        yield calls
        return
    watch = _Watch(calls, measure, most)
    sys.setprofile(watch.note)
    try:
        yield calls
    finally:
        sys.setprofile(None)


class _Watch:
    # Nothing of Keras is replaced: the interpreter says which functions are called. A
    # function may give its argument another value, so that is read as it begins.

    def __init__(
        self,
        calls: list[SoftmaxCall],
        measure: Callable[[Any, Any, int], Any] | None,
        most: int | None,
    ) -> None:
        self.calls, self.measure, self.most = calls, measure, most
        self.softmax = _codes(keras.ops.softmax, keras.activations.softmax)
        self.products = _codes(keras.ops.matmul, keras.ops.einsum)
        self.known = self.softmax | self.products
        # of products by their shape: whether both factors are activations
        self.is_product: dict[tuple[int, ...], bool] = {}
        self.inside = 0

    def note(self, frame: FrameType, event: str, result: Any) -> None:
        if frame.f_code not in self.known or event not in ("call", "return"):
            return
        try:
            if frame.f_code in self.products:
                self._note_product(frame, event, result)
            else:
                self._note_softmax(frame, event, result)
        except TooManyScoresError:
            raise
        except Exception:  # of shapes that are not known, say
            return

    def _note_product(self, frame: FrameType, event: str, result: Any) -> None:
        values = frame.f_locals
        if "operands" in values:
            factors = tuple(values["operands"])
        else:
            factors = values.get("x1"), values.get("x2")
        is_product = len(factors) == 2 and _are_activations(*factors)
        if event == "return" and result is not None:
            self.is_product[tuple(result.shape)] = is_product
        elif is_product:
            self._check(_size(values.get("subscripts"), *factors))

    def _note_softmax(self, frame: FrameType, event: str, result: Any) -> None:
        values = frame.f_locals
        if event == "call":
            self.inside += 1
            self._check(math.prod(values["x"].shape))
            self.given = values["x"], values.get("axis", -1)
            return
        self.inside -= 1
        if self.inside:  # one of both called the other, which returns next
            return
        (scores, axis), self.given = self.given, (None, None)
        if scores is None or result is None or not isinstance(axis, int):
            return
        shape = tuple(scores.shape)
        measured = None
        if self.measure is not None:
            measured = self.measure(scores, result, axis)
        kind = self._is_attention(shape, axis)
        self.calls.append(SoftmaxCall(_owner(frame), shape, axis, kind, measured))

    def _check(self, n: int) -> None:
        if self.most is not None and n > self.most:
            raise TooManyScoresError(f"{n} scores")

    def _is_attention(self, shape: tuple[int, ...], axis: int) -> bool:
        if len(shape) < LEAST_RANK or axis not in (-1, -2, len(shape) - 1):
            return False
        return self.is_product.get(shape, shape[-1] == shape[-2])


def _codes(*functions: Any) -> set[Any]:
    return {inspect.unwrap(function).__code__ for function in functions}


def _are_activations(first: Any, second: Any) -> bool:
    """Return whether both have rows; a weight has none."""
    if isinstance(first, keras.Variable) or isinstance(second, keras.Variable):
        return False
    a, b = tuple(first.shape), tuple(second.shape)
    return min(len(a), len(b)) >= LEAST_RANK and a[0] == b[0]


def _size(subscripts: str | None, first: Any, second: Any) -> int:
    if subscripts is None:
        return math.prod(first.shape[:-1]) * second.shape[-1]
    given, _, out = subscripts.replace(" ", "").partition("->")
    a, b = given.split(",")
    lengths = dict(
        [*zip(a, first.shape, strict=True), *zip(b, second.shape, strict=True)]
    )
    return math.prod(lengths[letter] for letter in out)


def _owner(frame: FrameType) -> Any:
    back, depth = frame.f_back, 0
    while back is not None and depth < MAX_DEPTH:
        owner = back.f_locals.get("self")
        is_layer = isinstance(owner, keras.layers.Layer)
        if is_layer and not isinstance(owner, keras.layers.Softmax):
            return owner
        back, depth = back.f_back, depth + 1
    return None
