"""What makes the models of trials: a function of the user's, or a model itself."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras

from keras_dlbasic._arguments import shown
from keras_dlbasic._data.built import built_from, first_rows
from keras_dlbasic._keras.checks import check_compiled
from keras_dlbasic._keras.copying import anew


@dataclass(frozen=True)
class Anew:
    """Makes models like one, with the same compile arguments and new weights.

    Attributes:
        model: A compiled model.
        rows: Inputs of a few rows, from which a copy that is not built gets its
            weights. Defaults to None: it does not get any.
    """

    model: Any
    rows: Any = None

    def __call__(self) -> Any:
        """Return a new model.

        Raises:
            ValueError: If Keras cannot clone the model, or the clone cannot be called
                on the rows.
        """
        try:
            model = anew(self.model)
            return model if self.rows is None else built_from(model, self.rows)
        except ValueError as error:
            raise ValueError(
                f"{error} Or give a function that builds and compiles the model in its "
                "place: `lambda: build_model()`."
            ) from error


def builder_of(
    model: Any, *arguments: Any, name: str = "build_model", x: Any = None
) -> Callable[..., Any]:
    """Return a function that makes compiled models.

    Args:
        model: Such a function, or a compiled model.
        *arguments: What the function is going to be called with.
        name: How errors call `model`. Defaults to `"build_model"`.
        x: Inputs as arrays, from which copies that are not built get their weights;
            the model itself stays as it is. Defaults to None: not known.

    Raises:
        TypeError: If it is neither, or a function with other arguments.
        ValueError: If it is a model that is not compiled.

    Example:
    >>> import keras
    >>> from keras_dlbasic._trials.builder import builder_of
    >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    >>> model.compile(optimizer="sgd", loss="mse")
    >>> builder_of(model)().loss
    'mse'
    """
    if isinstance(model, keras.Model):
        check_compiled(model)
        return Anew(model, None if x is None else first_rows(x))
    if not callable(model):
        raise TypeError(
            f"`{name}` must be a compiled model, or a function that returns one. "
            f"Received: {shown(model)}"
        )
    try:
        signature = inspect.signature(model)
    except (TypeError, ValueError):  # written in C
        return model
    try:
        signature.bind(*arguments)
    except TypeError as error:
        takes = "the arguments " + ", ".join(map(repr, arguments))
        raise TypeError(
            f"`{name}` must be a function that returns a compiled model and can be "
            f"called with {takes if arguments else 'no arguments'}. Received: "
            f"`{getattr(model, '__name__', type(model).__name__)}{signature}` "
            f"({error}). Wrap it: `lambda: build(...)`."
        ) from None
    return model
