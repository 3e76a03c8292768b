"""The remedy that brings inputs to mean 0 and variance 1 within the model."""

from __future__ import annotations

from typing import Any

import keras

from keras_dlbasic._data.read import read
from keras_dlbasic._keras.outputs import check_known
from keras_dlbasic._keras.rebuild import rebuild
from keras_dlbasic._wrong_arguments import names_nearest
from keras_dlbasic.remedies._registry import remedy
from keras_dlbasic.remedies.standard_scale import scaling_layer


@remedy(needs=("x",))
@names_nearest
def scale_inputs(model: Any, x: Any) -> Any:
    """Add a `Normalization` layer in front of a model.

    Common initializers and learning rates assume inputs of about unit variance (LeCun
    et al. 1998, "Efficient BackProp"). The scaling is part of the model, so it takes
    unscaled data in training and in inference.

    Args:
        model: A built Sequential or Functional model.
        x: The training inputs: an array, tensor, data frame, list or a structure of
            these, or a data set. Mean and variance are computed over all axes but the
            last (a feature, or a channel). Integer inputs, such as tokens, are not
            scaled.

    Returns:
        A new model with the scaling and the same weights, compiled like `model`, with a
        new optimizer state.

    Raises:
        ValueError: If `x` does not match the inputs or is not numeric, no input can be
            scaled, or the model cannot be rebuilt.

    Example:
    >>> import keras, numpy as np
    >>> import keras_dlbasic as kd
    >>> x = 255 * np.random.default_rng(0).random((100, 4))
    >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
    >>> new = kd.remedies.scale_inputs(model, x)
    >>> bool(abs(keras.ops.convert_to_numpy(new.layers[0](x))).max() < 3)
    True
    """
    check_known(model)
    x = read(x, model=model).x
    named = isinstance(x, dict)
    names = [tensor.name for tensor in model.inputs]
    arrays = [x[name] for name in names] if named else keras.tree.flatten(x)
    layers = [
        scaling_layer(array, per="x", name=f"{_plain(tensor.name)}_scaling")
        if keras.backend.is_float_dtype(tensor.dtype)
        else None
        for tensor, array in zip(model.inputs, arrays, strict=True)
    ]
    if not any(layers):
        raise ValueError(
            "All inputs are integers, such as tokens, which are not scaled. Received "
            f"inputs of dtype {[tensor.dtype for tensor in model.inputs]}"
        )
    return rebuild(model, first=[[layer] if layer else [] for layer in layers])


def _plain(name: str) -> str:
    return name.split(":")[0].replace("/", "_")
