"""The remedy that drops hidden units at random."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from keras_dlbasic._arguments import is_number, shown
from keras_dlbasic._keras.activations import activation_name
from keras_dlbasic._keras.following_activation import consumers_of
from keras_dlbasic._keras.layer_kinds import KERNELS, core_of, is_product, kind_of
from keras_dlbasic._keras.outputs import output_part
from keras_dlbasic._keras.rebuild import Chain, rebuild, with_config
from keras_dlbasic._wrong_arguments import names_nearest
from keras_dlbasic.remedies._registry import remedy


@remedy()
@names_nearest
def add_dropout(model: Any, rate: float = 0.3, *, seed: int | None = None) -> Any:
    """Insert dropout after the hidden activations (Srivastava et al. 2014).

    Args:
        model: A built Sequential or Functional model; nested models are included.
        rate: Share of units that are dropped in training, in [0, 1). Defaults to 0.3.
        seed: An integer, from which the seed of each layer is derived. Defaults to
            None: from Keras' global generator.

    Returns:
        A new model with the same weights, compiled like `model`, with a new optimizer
        state. No dropout is added after outputs, after attention layers (which have
        their own dropout), or where dropout already follows. Existing dropout layers of
        any kind get the higher rate of the two.

    Raises:
        ValueError: If `rate` is not from 0 to below 1, or the model cannot be rebuilt.

    Example:
    >>> import keras
    >>> import keras_dlbasic as kd
    >>> hidden = keras.layers.Dense(8, "relu")
    >>> model = keras.Sequential([keras.Input((4,)), hidden, keras.layers.Dense(1)])
    >>> new = kd.remedies.add_dropout(model, 0.5)
    >>> [type(layer).__name__ for layer in new.layers]
    ['Dense', 'Dropout', 'Dense']
    """
    if not is_number(rate) or not 0 <= rate < 1:
        raise ValueError(
            f"`rate` must be from 0 to below 1. Received: rate={shown(rate)}"
        )
    outputs, consumers = output_part(model), consumers_of(model)
    sequence = np.random.SeedSequence(seed)

    def edit(layer: Any) -> Chain | None:
        kind = kind_of(layer).kind
        if kind == "dropout":
            return Chain(with_config(layer, rate=max(rate, core_of(layer).rate)))
        if id(layer) in outputs:
            return None
        is_active = kind in ("activation", *KERNELS) and activation_name(layer)
        is_recurrent = kind == "recurrent" and not getattr(layer, "return_state", False)
        if not (is_active or is_recurrent):
            return None
        # Not where dropout follows already. And not on a factor of a product, such as a
        # gate: what is dropped there would switch off another signal.
        after = consumers.get(id(layer), [])
        if any(kind_of(o).kind == "dropout" or is_product(o) for o in after):
            return None
        own = None
        if seed is not None:
            # with the same seed, layers of the same width would drop the same units
            own = int(sequence.spawn(1)[0].generate_state(1)[0] >> 1)
        dropout = keras.layers.Dropout(rate, seed=own, name=f"{layer.name}_dropout")
        return Chain(with_config(layer), after=[dropout])

    return rebuild(model, edit)
