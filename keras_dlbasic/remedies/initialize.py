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

    An initializer sees only a shape, and reads it wrongly for many layers. Here each
    kernel gets the fans of its layer: inputs per group in grouped convolutions, the
    window only in depthwise ones (also in the depthwise part of separable ones), the
    outputs that an input really reaches where there are strides, input and output
    exchanged in transposed ones, the axes of the equation in `EinsumDense` and
    attention projections, one gate's units in gated recurrent layers, one row in
    `Embedding`.

    Args:
        model: A built model.
        initializer: One of this package's initializers, whose law, gain and mode are
            used for all kernels; or `"auto"` (default): for each kernel that of
            `initializers.for_activation` for the activation that follows, inline or as
            a layer, also behind normalization. That of a sigmoid output is drawn by
            Xavier's law: what a hidden sigmoid needs makes an output too sure.
        distribution: `"normal"` (default) or `"uniform"`, for `"auto"`.
        recurrent: Whether to draw recurrent kernels as well, which Keras makes
            orthogonal for good reason. Defaults to `False`.
        zero_biases: Whether to set the biases of these layers to zero, as for units
            that are dead from the start because of theirs; those of recurrent layers
            stay. Defaults to `False`.
        seed: An integer; each kernel gets values of its own. Defaults to None: random,
            drawn from NumPy's entropy, not from Keras' generators.
        in_place: Whether to change `model` itself instead of a copy. Defaults to
            `False`.

    Returns:
        The model with new kernels and all else as it was: biases (but for
        `zero_biases`), scales, embeddings' padding, moving averages and weights of
        unknown layers whose name is not `kernel`.

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
