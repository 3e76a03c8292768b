"""Where in a model the first number that is not finite comes up."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, Literal

import keras
import numpy as np

from keras_dlbasic._backends.generators import generators_kept
from keras_dlbasic._backends.intercept import wrapped_method
from keras_dlbasic._data.batch import ROWS
from keras_dlbasic._data.built import built_from
from keras_dlbasic._data.read import read
from keras_dlbasic._display import Displayed, wrapped
from keras_dlbasic._keras.graph import own_weights, walk_layers
from keras_dlbasic._wrong_arguments import names_nearest


@names_nearest
@dataclass(frozen=True, repr=False)
class NonFiniteOrigin(Displayed):
    """Where the first NaN or infinite value appeared in a forward pass.

    Attributes:
        source: `"input"` (the data), `"weights"` (of the layer) or `"output"` (the
            layer's inputs and weights are finite, but its output is not).
        layer: Label of the layer as in a record, None for the data.
        call: Index of the layer call in the forward pass, 0-based; None for the data.
        variable: Path of the variable, for `"weights"`.
        count: Number of entries that are not finite.

    Example:
    >>> from keras_dlbasic.gradients import NonFiniteOrigin
    >>> print(NonFiniteOrigin("output", "log", 0, None, count=6))
    Layer 'log' outputs 6 NaN or infinite values, although its inputs and weights
      are finite.
    """

    source: Literal["input", "weights", "output"]
    layer: str | None
    call: int | None
    variable: str | None
    count: int

    def __str__(self) -> str:
        return wrapped(self._text())

    def _text(self) -> str:
        if self.source == "input":
            return f"The data hold {self.count} entries that are not finite."
        if self.source == "weights":
            return (
                f"Layer '{self.layer}': {self.count} entries of its weights "
                f"'{self.variable}' are not finite."
            )
        return (
            f"Layer '{self.layer}' outputs {self.count} NaN or infinite values, "
            "although its inputs and weights are finite."
        )


@names_nearest
def localize_non_finite(
    model: Any, x: Any, *, training: bool = False
) -> NonFiniteOrigin | None:
    """Run the forward pass and find the first layer with NaN or infinite values.

    The layers run one by one without compilation. The model is not changed: moving
    statistics and random generators are restored.

    Args:
        model: A Keras model; one without weights is built from `x`.
        x: Inputs: an array, a tensor, a data frame, a list or a structure of these; or
            a data set, of which 256 rows are drawn.
        training: Whether to run the layers as in training. Defaults to `False`.

    Returns:
        The origin, or None if all is finite.

    Raises:
        ValueError: If `x` is none of these, or does not fit the model.

    Example:
    >>> import keras, numpy as np
    >>> from keras_dlbasic.gradients import localize_non_finite
    >>> log = keras.layers.Lambda(lambda t: keras.ops.log(t), name="log")
    >>> model = keras.Sequential([keras.Input((2,)), log, keras.layers.Dense(1)])
    >>> origin = localize_non_finite(model, np.zeros((3, 2)))
    >>> print(origin)
    Layer 'log' outputs 6 NaN or infinite values, although its inputs and weights
      are finite.
    """
    x = read(x, model=model, most=ROWS).x
    model = built_from(model, x)
    x = keras.tree.map_structure(
        lambda leaf: None if leaf is None else keras.ops.convert_to_tensor(leaf), x
    )
    if count := _count(x):
        return NonFiniteOrigin("input", None, None, None, count)
    # Each layer's call first checks its weights and then its outputs, in the order of
    # the forward pass. So the first check that fails is at the origin, and ends the
    # pass.
    calls: list[str] = []
    state = [(v, keras.ops.copy(v.value)) for v in model.non_trainable_variables]
    try:
        with generators_kept(model), ExitStack() as stack:
            for layer, label, _, is_whole in walk_layers(model):
                check = _check(own_weights(layer, is_whole), label, calls)
                stack.enter_context(wrapped_method(layer, "call", check))
            model(x, training=training)
    except _Found as found:
        return found.origin
    finally:
        for variable, value in state:
            variable.assign(value)
    return None


class _Found(BaseException):
    """Ends the forward pass; no `Exception`, so that no layer catches it."""

    def __init__(self, origin: NonFiniteOrigin) -> None:
        super().__init__(str(origin))
        self.origin = origin


def _check(weights: list[Any], label: str, calls: list[str]) -> Callable[..., Any]:
    def make(original: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            number = len(calls)
            calls.append(label)
            for variable in weights:
                if count := _count(variable.value):
                    raise _Found(
                        NonFiniteOrigin("weights", label, number, variable.path, count)
                    )
            outputs = original(*args, **kwargs)
            if count := _count(outputs):
                raise _Found(NonFiniteOrigin("output", label, number, None, count))
            return outputs

        return call

    return make


def _count(structure: Any) -> int:
    """Count the entries of floating-point tensors that are not finite."""
    total = 0
    for tensor in keras.tree.flatten(structure):
        if tensor is None or not keras.backend.is_float_dtype(tensor.dtype):
            continue
        values = keras.ops.convert_to_numpy(keras.ops.cast(tensor, "float32"))
        total += int(np.size(values) - np.isfinite(values).sum())
    return total
