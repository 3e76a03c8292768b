"""The remedy that makes a model narrower or wider."""

from __future__ import annotations

from typing import Any

import keras

from keras_dlbasic._keras.layer_kinds import WEIGHTING
from keras_dlbasic._keras.outputs import output_part
from keras_dlbasic._keras.rebuild import Chain, rebuild, with_config
from keras_dlbasic.remedies._registry import remedy

_SIZED = {
    "units": (
        keras.layers.Dense,
        keras.layers.LSTM,
        keras.layers.GRU,
        keras.layers.SimpleRNN,
    ),
    "filters": tuple(set(WEIGHTING) - {keras.layers.Dense, keras.layers.EinsumDense}),
    "output_dim": (keras.layers.Embedding,),
}


@remedy(repeatable=True)
def resize(model: Any, width_factor: float = 2.0) -> Any:
    """Multiply the number of units of all hidden layers.

    Args:
        model: A built Sequential or Functional model; nested models are gone through.
        width_factor: What units, filters and embedding dimensions are multiplied by:
            above 1 for a model that underfits, below for one that overfits. Defaults
            to 2. At least one unit stays.

    Returns:
        A new model, compiled like `model`; its optimizer starts anew. Layers whose
        shapes have changed start from new weights.

    Raises:
        ValueError: If the factor is not positive, or the model cannot be rebuilt:
            layers that rely on fixed shapes, such as Reshape, or sums with the input.

    Example:
    >>> import keras
    >>> import keras_dlbasic as kd
    >>> hidden = keras.layers.Dense(8, "relu")
    >>> model = keras.Sequential([keras.Input((4,)), hidden, keras.layers.Dense(1)])
    >>> [layer.units for layer in kd.remedies.resize(model, 0.5).layers]
    [4, 1]
    """
    if not width_factor > 0:
        raise ValueError(
            f"`width_factor` must be positive. Received: width_factor={width_factor!r}"
        )
    outputs = output_part(model)

    def edit(layer: Any) -> Chain | None:
        if id(layer) in outputs:
            return None
        inner = layer
        if isinstance(layer, keras.layers.Bidirectional):
            inner = layer.forward_layer
        for name, kinds in _SIZED.items():
            size = getattr(inner, name, None)
            if isinstance(inner, kinds) and size is not None:
                groups = getattr(inner, "groups", 1)
                new = max(1, round(size * width_factor / groups)) * groups
                if inner is layer:
                    return Chain(with_config(layer, **{name: new}))
                return Chain(_bidirectional(layer, name, new))
        return None

    return rebuild(model, edit)


def _bidirectional(layer: Any, name: str, size: int) -> Any:
    config = layer.get_config()
    for part in ("layer", "backward_layer"):
        if config.get(part):
            config[part]["config"][name] = size
    return type(layer).from_config(config)
