"""The remedy that trains with another optimizer."""

from __future__ import annotations

from typing import Any

import keras

from keras_dlbasic._keras.checks import check_compiled
from keras_dlbasic._keras.known_names import optimizer_of
from keras_dlbasic._keras.optimizer import is_several
from keras_dlbasic._keras.rebuild import compile_like, rebuild
from keras_dlbasic._wrong_arguments import names_nearest
from keras_dlbasic.remedies._registry import remedy


@remedy()
@names_nearest
def change_optimizer(
    model: Any,
    optimizer: Any = "adam",
    *,
    learning_rate: float | None = None,
    in_place: bool = False,
) -> Any:
    """Compile a copy of a model with another optimizer.

    Args:
        model: A built and compiled Sequential or Functional model. With `in_place` any
            class of model works.
        optimizer: Name or instance of a Keras optimizer. Defaults to `"adam"` (Kingma
            and Ba 2015), whose step size does not depend on the scale of the gradients.
        learning_rate: Its learning rate. Defaults to None: the optimizer's own.
        in_place: Whether to compile `model` itself instead of a copy. Defaults to
            `False`.

    Returns:
        A new model with the same weights and the new optimizer.

    Raises:
        ValueError: If the model is not compiled or cannot be rebuilt, or there is no
            such optimizer.

    Example:
    >>> import keras
    >>> import keras_dlbasic as kd
    >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
    >>> model.compile(optimizer="sgd", loss="mse")
    >>> type(kd.remedies.change_optimizer(model, "adam").optimizer).__name__
    'Adam'
    """
    check_compiled(model)
    if isinstance(optimizer, keras.optimizers.Optimizer):
        optimizer = type(optimizer).from_config(optimizer.get_config())
    else:
        optimizer = optimizer_of(optimizer)
    if learning_rate is not None:
        optimizer.learning_rate = learning_rate
    return with_optimizer(model, optimizer, in_place=in_place)


def with_optimizer(model: Any, optimizer: Any, *, in_place: bool = False) -> Any:
    """Return a copy of a model compiled with an optimizer that is not built yet."""
    if in_place:
        return compile_like(model, model, optimizer=optimizer)
    return rebuild(model, compile_changes={"optimizer": optimizer})


def innermost_config(optimizer: Any) -> dict[str, Any]:
    """Return the configuration of an optimizer, below any `LossScaleOptimizer`."""
    return _innermost(optimizer.get_config())


def changed_optimizer(optimizer: Any, **changes: Any) -> Any:
    """Return a new optimizer like `optimizer` with changes in its configuration.

    Those of an optimizer within a `LossScaleOptimizer` are made in there.
    """
    config = optimizer.get_config()
    _innermost(config).update(changes)
    return type(optimizer).from_config(config)


def _innermost(config: dict[str, Any]) -> dict[str, Any]:
    while "inner_optimizer" in config:
        config = config["inner_optimizer"]["config"]
    return config


def check_one_optimizer(model: Any) -> None:
    """Refuse a model without an optimizer, and one with several.

    Raises:
        ValueError: If it is not compiled, or with a `MultiOptimizer`.
    """
    check_compiled(model)
    if is_several(model.optimizer):
        raise ValueError(
            f"Model '{model.name}' has several optimizers (`MultiOptimizer`), each "
            "with its own learning rate and clipping. Change them where you make them, "
            "or compile the model with one optimizer."
        )
