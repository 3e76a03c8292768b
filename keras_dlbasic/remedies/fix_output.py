"""The remedy that makes output, loss and targets fit together."""

from __future__ import annotations

from typing import Any

import keras

from keras_dlbasic._keras.graph import all_layers
from keras_dlbasic._keras.known_names import check_activation
from keras_dlbasic._keras.layer_kinds import KERNELS, SIZES, core_of, kind_of
from keras_dlbasic._keras.outputs import output_part
from keras_dlbasic._keras.rebuild import Chain, rebuild, with_config
from keras_dlbasic._wrong_arguments import names_nearest
from keras_dlbasic.remedies._registry import remedy

_KEEP = "keep"


@remedy()
@names_nearest
def fix_output(
    model: Any,
    activation: str | None = _KEEP,
    loss: Any = None,
    *,
    units: int | None = None,
) -> Any:
    """Change the output activation, the number of output units or the loss of a model.

    Args:
        model: A built and compiled Sequential or Functional model with one output.
        activation: Name of the output activation, None or `"linear"` for none. Defaults
            to `"keep"`: not changed.
        loss: The loss to compile with. Defaults to None: not changed.
        units: Number of output units. Defaults to None: not changed.

    Returns:
        A new model with the same weights where shapes allow, and a new optimizer state.

    Raises:
        ValueError: If the model has several outputs, its last layer with a kernel is
            neither Dense nor a convolution, or it cannot be rebuilt.

    Example:
    >>> import keras
    >>> import keras_dlbasic as kd
    >>> layer = keras.layers.Dense(1, "softmax")  # always 1
    >>> model = keras.Sequential([keras.Input((4,)), layer])
    >>> model.compile(optimizer="sgd", loss="mse")
    >>> new = kd.remedies.fix_output(model, "sigmoid", "binary_crossentropy")
    >>> new.layers[0].activation.__name__, new.loss
    ('sigmoid', 'binary_crossentropy')
    """
    check_activation(None if activation == _KEEP else activation)
    part = output_part(model)
    if len(model.outputs) != 1:
        raise ValueError(
            f"Model '{model.name}' has {len(model.outputs)} outputs. Expected one; "
            "change the output layers of others by hand."
        )
    last = [layer for layer in all_layers(model) if id(layer) in part]
    kernels = [layer for layer in last if kind_of(layer).kind in KERNELS]
    if len(kernels) != 1 or getattr(core_of(kernels[0]), "groups", 1) != 1:
        raise ValueError(
            f"The output of model '{model.name}' does not come from one Dense or "
            f"convolution layer. Its last layers: {[layer.name for layer in last]}. "
            "Change them by hand."
        )

    def edit(layer: Any) -> Chain | None:
        if id(layer) not in part:
            return None
        if layer is kernels[0]:
            changes: dict[str, Any] = {}
            if activation != _KEEP:
                changes["activation"] = activation
            if units is not None:
                name = next(n for n in SIZES if hasattr(core_of(layer), n))
                changes[name] = units
            return Chain(with_config(layer, **changes))
        # An activation in a layer of its own gives way to the new one, which the kernel
        # layer has now. The layer stays, so the model keeps its structure.
        if activation != _KEEP and kind_of(layer).kind == "activation":
            return Chain(keras.layers.Activation("linear", name=layer.name))
        return None

    return rebuild(model, edit, compile_changes={} if loss is None else {"loss": loss})
