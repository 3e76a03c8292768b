"""The remedy against moving statistics that do not follow."""

from __future__ import annotations

from typing import Any

from keras_dlbasic._arguments import is_number, shown
from keras_dlbasic._keras.layer_kinds import kind_of
from keras_dlbasic._keras.rebuild import Chain, edited, rebuild
from keras_dlbasic._wrong_arguments import names_nearest
from keras_dlbasic.remedies._registry import remedy


@remedy(judged_by="whole_training")
@names_nearest
def change_momentum(model: Any, momentum: float = 0.9) -> Any:
    """Change the momentum of the moving statistics of batch normalization.

    After `n` updates the initial statistics have the weight `momentum**n`, and the
    average is over about `1 / (1 - momentum)` batches. So a lower momentum adapts
    faster and is noisier (Ioffe and Szegedy 2015).

    Args:
        model: A built Sequential or Functional model; nested models are included.
        momentum: The new momentum, in [0, 1). Defaults to 0.9; Keras' own default is
            0.99.

    Returns:
        A new model with the same weights and statistics, compiled like `model`, with a
        new optimizer state.

    Raises:
        ValueError: If `momentum` is out of range, or the model cannot be rebuilt.

    Example:
    >>> import keras
    >>> import keras_dlbasic as kd
    >>> layers = [keras.layers.Dense(4), keras.layers.BatchNormalization()]
    >>> model = keras.Sequential([keras.Input((4,)), *layers])
    >>> kd.remedies.change_momentum(model, 0.9).layers[1].momentum
    0.9
    """
    if not is_number(momentum) or not 0 <= momentum < 1:
        raise ValueError(
            "`momentum` must be a number from 0 to below 1. Received: "
            f"momentum={shown(momentum)}"
        )

    def edit(layer: Any) -> Chain | None:
        if kind_of(layer).state != "averages" or not hasattr(layer, "momentum"):
            return None
        return Chain(edited(layer, lambda config: {"momentum": float(momentum)}))

    return rebuild(model, edit)
