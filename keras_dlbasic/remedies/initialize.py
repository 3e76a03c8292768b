"""The remedy that draws weights anew, by each layer's true fans."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from keras_dlbasic._keras.checks import check_built
from keras_dlbasic._keras.connections import operation_of
from keras_dlbasic._keras.copying import copy_of
from keras_dlbasic._keras.fans import KernelFans, model_kernels
from keras_dlbasic._keras.following_activation import activations_after
from keras_dlbasic._wrong_arguments import names_nearest
from keras_dlbasic.initializers import (
    HeNormal,
    HeUniform,
    XavierNormal,
    XavierUniform,
    for_activation,
)
from keras_dlbasic.initializers.law import draw_with, sigma_of
from keras_dlbasic.remedies._registry import remedy

_OURS = (HeNormal, HeUniform, XavierNormal, XavierUniform)


@remedy(keeps_weights=False)
@names_nearest
def initialize(
    model: Any,
    initializer: Any = "auto",
    *,
    distribution: str = "normal",
    recurrent: bool = False,
    zero_biases: bool = False,
    seed: int | None = None,
    in_place: bool = False,
) -> Any:
    """Reinitialize the kernels of a model with the true fans of each layer.

    An initializer only gets the shape of a kernel, and computes wrong fans for many
    layers. Here the fans are those of the layer:

    - Grouped convolutions: the inputs per group. Depthwise and separable ones: the
      window only.
    - Convolutions with strides: the outputs that an input reaches. Transposed
      convolutions: input and output are exchanged.
    - `EinsumDense` and attention projections: the axes of the equation.
    - Gated recurrent layers: the units of one gate. `Embedding`: one row.

    Args:
        model: A built model.
        initializer: One of this package's initializers, whose distribution, gain and
            mode are used for all kernels. Or `"auto"` (default): for each kernel the
            initializer from `initializers.for_activation` for the activation that
            follows, as an argument or as a layer, also after normalization. A sigmoid
            output layer gets Xavier with gain 1, because the gain of a hidden sigmoid
            would make its first predictions too confident.
        distribution: `"normal"` (default) or `"uniform"`, for `"auto"`.
        recurrent: Whether to reinitialize recurrent kernels as well, which are
            orthogonal in Keras. Defaults to `False`.
        zero_biases: Whether to set the biases of these layers to zero, which helps
            units that are dead from the start because of their bias. Biases of
            recurrent layers are kept. Defaults to `False`.
        seed: An integer; kernels get different values. Defaults to None: random. Keras'
            global generators are not used.
        in_place: Whether to change `model` itself instead of a copy. Defaults to
            `False`.

    Returns:
        The model with new kernels. Everything else is kept: biases (unless
        `zero_biases`), scales, padding rows of embeddings, moving averages, and weights
        of unknown layers that are not called `kernel`.

    Raises:
        ValueError: If the model is not built or cannot be copied, or `initializer` is
            not one of these.

    Example:
    >>> import keras, numpy as np
    >>> import keras_dlbasic as kd
    >>> conv = keras.layers.DepthwiseConv2D(3, activation="relu")
    >>> model = keras.Sequential([keras.Input((8, 8, 400)), conv])
    >>> new = kd.remedies.initialize(model, seed=0)
    >>> kernel = np.asarray(new.get_weights()[0])
    >>> bool(abs(kernel.std() / np.sqrt(2 / 9) - 1) < 0.05)  # 9 inputs, not 3600
    True
    """
    check_built(model)
    if initializer != "auto" and not isinstance(initializer, _OURS):
        raise ValueError(
            '`initializer` must be "auto" or one of this package\'s initializers, '
            f"such as `kd.initializers.HeNormal()`. Received: {initializer!r}"
        )
    for_activation(None, distribution=distribution)  # checks the distribution
    new = model if in_place else copy_of(model)
    sequence = np.random.SeedSequence(seed)
    activations = activations_after(new) if initializer == "auto" else {}
    kernels = list(model_kernels(new))
    last = _output_layers(new, [layer for layer, _ in kernels])
    for layer, fans in kernels:
        if fans.is_recurrent and not recurrent:
            continue
        law = initializer
        if law == "auto":
            follows = activations.get(id(layer))
            if id(layer) in last and getattr(follows, "__name__", follows) == "sigmoid":
                follows = None
            law = for_activation(follows, distribution=distribution)
        kernel_seed = int(sequence.spawn(1)[0].generate_state(1)[0] >> 1)
        _draw(fans, law, kernel_seed)
        bias: Any = getattr(layer, "bias", None)
        is_gated = hasattr(layer, "recurrent_kernel")  # forget gates begin at one
        if zero_biases and hasattr(bias, "assign") and not is_gated:
            bias.assign(keras.ops.zeros(bias.shape, bias.dtype))
    return new


def _output_layers(model: Any, layers: list[Any]) -> set[int]:
    """Return the identities of the layers with a kernel that give the outputs."""
    outputs = getattr(model, "outputs", None) or ()
    found = {id(operation_of(tensor)) for tensor in outputs}
    # behind the last kernel may be an activation or a layer that scales
    if layers and len(outputs) < 2:
        found.add(id(layers[-1]))
    return found


def _draw(fans: KernelFans, law: Any, seed: int) -> None:
    sigma = sigma_of(law, fans.fan_in, fans.fan_out)
    values = draw_with(law, tuple(fans.variable.shape), sigma, seed, "float32")
    fans.variable.assign(keras.ops.cast(values, fans.variable.dtype))
