"""The remedy that gives hidden layers another activation."""

from __future__ import annotations

from typing import Any

import keras

from keras_dlbasic._keras.activations import activation_name
from keras_dlbasic._keras.following_activation import consumers_of
from keras_dlbasic._keras.known_names import check_activation
from keras_dlbasic._keras.layer_kinds import KERNELS, is_product, kind_of
from keras_dlbasic._keras.outputs import output_part
from keras_dlbasic._keras.rebuild import Chain, rebuild, with_config
from keras_dlbasic._wrong_arguments import names_nearest
from keras_dlbasic.remedies._registry import remedy
from keras_dlbasic.remedies.initialize import initialize as draw_anew


@remedy()
@names_nearest
def swap_activations(
    model: Any,
    activation: str = "relu",
    *,
    linear_too: bool = False,
    initialize: bool = False,
    seed: int | None = None,
) -> Any:
    """Change the activation of the hidden layers of a model.

    Sigmoid and tanh have slopes of at most 1/4 and 1, and slopes multiply with depth
    (Glorot and Bengio 2010). Rectifiers have a slope of 1 for active units (Nair and
    Hinton 2010). Leaky ReLU, ELU and GELU prevent dead units. Outputs, softmax, gates
    (factors of a product), recurrent and attention layers are not changed.

    Args:
        model: A built Sequential or Functional model; nested models are included.
        activation: Name of an activation that Keras knows. Defaults to `"relu"`.
        linear_too: Whether to add the activation to hidden layers that have none,
            unless an activation or normalization layer follows. Defaults to `False`.
        initialize: Whether to reinitialize the weights for the new activation with
            `remedies.initialize`. Use it for a model that has not learned anything yet.
            Defaults to `False`.
        seed: An integer, for `initialize`. Defaults to None: random.

    Returns:
        A new model, compiled like `model`, with the same weights (unless `initialize`)
        and a new optimizer state.

    Raises:
        ValueError: If there is no such activation, or the model cannot be rebuilt.

    Example:
    >>> import keras
    >>> import keras_dlbasic as kd
    >>> hidden = keras.layers.Dense(8, "sigmoid")
    >>> model = keras.Sequential([keras.Input((4,)), hidden, keras.layers.Dense(1)])
    >>> new = kd.remedies.swap_activations(model, "elu")
    >>> new.layers[0].activation.__name__
    'elu'
    """
    check_activation(activation)
    outputs, consumers = output_part(model), consumers_of(model)

    def edit(layer: Any) -> Chain | None:
        kind = kind_of(layer).kind
        if id(layer) in outputs or kind not in ("activation", *KERNELS):
            return None
        after = consumers.get(id(layer), [])
        if any(is_product(operation) for operation in after):
            return None
        name = activation_name(layer)
        if name in ("softmax", "log_softmax"):
            return None
        if kind == "activation":
            if name is None:
                return None
            return Chain(keras.layers.Activation(activation, name=layer.name))
        # A linear layer gets an activation only if it goes straight into kernels.
        # Before a normalization, an activation or a sum it is taken to be linear on
        # purpose.
        follows = any(isinstance(operation, keras.layers.Layer) for operation in after)
        bare = follows and all(kind_of(o).kind in KERNELS for o in after)
        if name is None and not (linear_too and bare):
            return None
        return Chain(with_config(layer, activation=activation))

    new = rebuild(model, edit)
    return draw_anew(new, seed=seed, in_place=True) if initialize else new
