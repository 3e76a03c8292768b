"""The remedy against too strong a regularization."""

from __future__ import annotations

from typing import Any

from keras_dlbasic._keras.layer_kinds import kind_of
from keras_dlbasic._keras.rebuild import Chain, edited, rebuild
from keras_dlbasic._wrong_arguments import names_nearest
from keras_dlbasic.remedies._registry import remedy
from keras_dlbasic.remedies.change_optimizer import changed_optimizer, innermost_config


@remedy(repeatable=True)
@names_nearest
def remove_penalty(model: Any, *, dropout_factor: float = 0.5) -> Any:
    """Remove weight penalties and lower dropout rates.

    Args:
        model: A built Sequential or Functional model; nested models are included.
        dropout_factor: Factor for the rates of dropout layers. Defaults to 0.5.

    Returns:
        A new model with the same weights, compiled like `model`. Its optimizer has a
        new state and no weight decay.

    Raises:
        ValueError: If `dropout_factor` is not from 0 to 1, or the model cannot be
            rebuilt.

    Example:
    >>> import keras
    >>> import keras_dlbasic as kd
    >>> layer = keras.layers.Dense(1, kernel_regularizer=kd.regularizers.L2(1.0))
    >>> model = keras.Sequential([keras.Input((4,)), layer])
    >>> kd.remedies.remove_penalty(model).layers[0].kernel_regularizer is None
    True
    """
    if not 0 <= dropout_factor <= 1:
        raise ValueError(
            "`dropout_factor` must be from 0 to 1. Received: "
            f"dropout_factor={dropout_factor!r}"
        )

    def edit(layer: Any) -> Chain:
        is_dropout = kind_of(layer).kind == "dropout"

        def change(config: dict[str, Any]) -> dict[str, Any]:
            new = dict.fromkeys(n for n in config if n.endswith("_regularizer"))
            if is_dropout and config.get("rate"):
                return {**new, "rate": dropout_factor * config["rate"]}
            return new

        return Chain(edited(layer, change))

    changes = {}
    # Weight decay in the optimizer shrinks weights as a penalty does.
    if model.compiled and innermost_config(model.optimizer).get("weight_decay"):
        changes["optimizer"] = changed_optimizer(model.optimizer, weight_decay=0.0)
    return rebuild(model, edit, compile_changes=changes)
