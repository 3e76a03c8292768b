"""The remedy that normalizes before each hidden activation."""

from __future__ import annotations

from typing import Any

import keras

from keras_dlbasic._keras.activations import activation_name
from keras_dlbasic._keras.following_activation import consumers_of
from keras_dlbasic._keras.layer_kinds import KERNELS, core_of, kind_of
from keras_dlbasic._keras.outputs import output_part
from keras_dlbasic._keras.rebuild import Chain, rebuild, with_config
from keras_dlbasic._wrong_arguments import names_nearest
from keras_dlbasic.remedies._registry import remedy

_KINDS = {
    "batch": keras.layers.BatchNormalization,
    "layer": keras.layers.LayerNormalization,
}


@remedy()
@names_nearest
def insert_normalization(model: Any, kind: str = "batch") -> Any:
    """Insert normalization between hidden kernels and their activations.

    Batch normalization (Ioffe and Szegedy 2015) needs batches of about 16 samples or
    more; layer normalization (Ba et al. 2016) works with any batch size.

    Args:
        model: A built Sequential or Functional model; nested models are included.
        kind: `"batch"` (default) or `"layer"`.

    Returns:
        A new model with the same weights otherwise, compiled like `model`, with a new
        optimizer state. Layers that are already normalized, outputs, recurrent and
        attention layers are not changed.

    Raises:
        ValueError: If `kind` is neither, or the model cannot be rebuilt.

    Example:
    >>> import keras
    >>> import keras_dlbasic as kd
    >>> hidden = keras.layers.Dense(8, "relu")
    >>> model = keras.Sequential([keras.Input((4,)), hidden, keras.layers.Dense(1)])
    >>> new = kd.remedies.insert_normalization(model)
    >>> [type(layer).__name__ for layer in new.layers]
    ['Dense', 'BatchNormalization', 'Activation', 'Dense']
    """
    if kind not in _KINDS:
        raise ValueError(f"`kind` must be one of {list(_KINDS)}. Received: {kind!r}")
    outputs, consumers = output_part(model), consumers_of(model)

    def edit(layer: Any) -> Chain | None:
        if id(layer) in outputs or kind_of(layer).kind not in KERNELS:
            return None
        after = consumers.get(id(layer), [])
        if any(kind_of(o).kind == "normalization" for o in after):
            return None
        normalization = _KINDS[kind](name=f"{layer.name}_normalization")
        if activation_name(layer) is None:
            return Chain(with_config(layer), after=[normalization])
        # The activation of the layer moves behind the normalization, into a layer of
        # its own.
        activation = keras.layers.Activation(
            core_of(layer).activation, name=f"{layer.name}_activation"
        )
        bare = with_config(layer, activation=None)
        return Chain(bare, after=[normalization, activation])

    return rebuild(model, edit)
