"""XavierNormal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras

from keras_dlbasic._keras.fans import as_axes
from keras_dlbasic._wrong_arguments import names_nearest
from keras_dlbasic.initializers.law import check_gain, config_of, draw


@names_nearest
@keras.saving.register_keras_serializable(package="keras_dlbasic")
class XavierNormal(keras.initializers.VarianceScaling):
    """N(0, sigma=sqrt(2/(n_in+n_out))); Keras' GlorotNormal is truncated.

    Made for S-shaped activations such as tanh and sigmoid.

    `keras.initializers.GlorotNormal` draws from a truncated normal distribution with
    the same variance. It has no entries beyond 2.27 sigma; here 2.3 % are. Use this
    class for the distribution of the paper, and Keras' own if that does not matter.

    An initializer only gets the shape of a kernel. It computes the correct fans for
    dense layers and ordinary convolutions; for all other layers use
    `remedies.initialize`.

    Args:
        gain: Multiplies the standard deviation. Defaults to `1.0`.
        seed: An integer, a `keras.random.SeedGenerator` or None (default: random). With
            an integer or None each call gives the same values.
        input_axes: Axes of the kernel whose product is the fan-in, for kernels with
            other layouts. Keras sets it for `EinsumDense`. Defaults to None.
        output_axes: Axes whose product is the fan-out. Defaults to None.

    Raises:
        ValueError: If `gain` is not positive or an axis is wrong.

    Example:
    >>> import keras, numpy as np
    >>> import keras_dlbasic as kd
    >>> kernel = kd.initializers.XavierNormal(seed=0)((300, 100))
    >>> round(float(keras.ops.std(kernel)), 2)
    0.07

    Reference:
        Glorot & Bengio (2010), Understanding the difficulty of training deep
        feedforward neural networks.
    """

    def __init__(
        self,
        gain: float = 1.0,
        seed: Any = None,
        *,
        input_axes: Sequence[int] | None = None,
        output_axes: Sequence[int] | None = None,
    ) -> None:
        super().__init__(
            scale=check_gain(gain) ** 2,
            mode="fan_avg",
            distribution="untruncated_normal",
            seed=seed,
        )
        self.gain = float(gain)
        self.input_axes = as_axes(input_axes, "input_axes")
        self.output_axes = as_axes(output_axes, "output_axes")

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> Any:  # noqa: D102
        return draw(self, shape, dtype)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of the constructor."""
        return config_of(self)
