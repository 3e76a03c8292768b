"""The remedy that penalizes large weights."""

from __future__ import annotations

from typing import Any

from keras_dlbasic._keras.layer_kinds import KERNELS, kind_of
from keras_dlbasic._keras.rebuild import Chain, configurations, rebuild, with_config
from keras_dlbasic._wrong_arguments import names_nearest
from keras_dlbasic.regularizers import L1L2
from keras_dlbasic.remedies._registry import remedy


@remedy()
@names_nearest
def add_penalty(model: Any, l2: float = 1e-4, *, l1: float = 0.0) -> Any:
    """Add an L1 or L2 penalty to the kernels that have none.

    Args:
        model: A built Sequential or Functional model; nested models are included.
        l2: Factor of half the sum of squares, as in `regularizers.L1L2`. Defaults to
            1e-4.
        l1: Factor of the sum of absolute values. Defaults to 0.

    Returns:
        A new model with the same weights, compiled like `model`, with a new optimizer
        state.

    Raises:
        ValueError: If a factor is negative, or the model cannot be rebuilt.

    Example:
    >>> import keras
    >>> import keras_dlbasic as kd
    >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
    >>> new = kd.remedies.add_penalty(model, 1e-3)
    >>> new.layers[0].kernel_regularizer is not None
    True
    """
    penalty = L1L2(l1=l1, l2=l2)

    def edit(layer: Any) -> Chain | None:
        if kind_of(layer).kind not in KERNELS:
            return None
        # The last configuration is the innermost: that of the layer with the kernel,
        # which wrappers only pass on.
        config = configurations(layer.get_config())[-1]
        names = [n for n in config if n in ("kernel_regularizer", *_SEPARABLE)]
        free = {name: penalty for name in names if config[name] is None}
        return Chain(with_config(layer, **free)) if free else None

    return rebuild(model, edit)


_SEPARABLE = ("depthwise_regularizer", "pointwise_regularizer")
