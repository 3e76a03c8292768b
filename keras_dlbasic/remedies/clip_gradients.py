"""The remedy that bounds the gradients."""

from __future__ import annotations

from typing import Any

from keras_dlbasic._wrong_arguments import names_nearest
from keras_dlbasic.remedies._registry import remedy
from keras_dlbasic.remedies.change_optimizer import (
    changed_optimizer,
    check_one_optimizer,
    with_optimizer,
)

_KINDS = ("global_clipnorm", "clipnorm", "clipvalue")


@remedy()
@names_nearest
def clip_gradients(
    model: Any,
    global_clipnorm: float | None = None,
    *,
    clipnorm: float | None = None,
    clipvalue: float | None = None,
    in_place: bool = False,
) -> Any:
    """Compile a copy of a model with gradient clipping (Pascanu et al. 2013).

    Args:
        model: A built and compiled Sequential or Functional model. With `in_place` any
            class of model works.
        global_clipnorm: Maximum norm of all gradients together; their direction is
            kept. Defaults to 1.0 if no other bound is given.
        clipnorm: Maximum norm of the gradient of each variable.
        clipvalue: Maximum absolute value of each entry.
        in_place: Whether to compile `model` itself instead of a copy. Defaults to
            `False`.

    Returns:
        A new model with the same weights and a new optimizer state.

    Raises:
        ValueError: If more than one bound is given or one is not positive, or the
            model is not compiled or cannot be rebuilt.

    Example:
    >>> import keras
    >>> import keras_dlbasic as kd
    >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
    >>> model.compile(optimizer="sgd", loss="mse")
    >>> kd.remedies.clip_gradients(model, 0.5).optimizer.global_clipnorm
    0.5
    """
    given = {
        name: value
        for name, value in (
            ("global_clipnorm", global_clipnorm),
            ("clipnorm", clipnorm),
            ("clipvalue", clipvalue),
        )
        if value is not None
    } or {"global_clipnorm": 1.0}
    (name, value), *others = given.items()
    if others or not value > 0:
        raise ValueError(
            f"Give one of {', '.join(_KINDS)}, a positive number. Received: {given}"
        )
    check_one_optimizer(model)
    changes = {**dict.fromkeys(_KINDS), name: float(value)}
    optimizer = changed_optimizer(model.optimizer, **changes)
    return with_optimizer(model, optimizer, in_place=in_place)
