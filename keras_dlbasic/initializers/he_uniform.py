"""HeUniform."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras

from keras_dlbasic._keras.fans import as_axes
from keras_dlbasic._wrong_arguments import names_nearest
from keras_dlbasic.initializers.law import check_gain, check_mode, config_of, draw


@names_nearest
@keras.saving.register_keras_serializable(package="keras_dlbasic")
class HeUniform(keras.initializers.VarianceScaling):
    """U(-sqrt(6/n_in), +sqrt(6/n_in)).

    Made for rectifiers such as ReLU, which pass on half of the variance.

    The distribution is that of `keras.initializers.HeUniform`: use Keras' own unless
    you need `gain` or `mode`. (Keras' `HeNormal` is truncated, unlike `HeNormal` of
    this package.)

    An initializer only gets the shape of a kernel. It computes the correct fans for
    dense layers and ordinary convolutions; for all other layers use
    `remedies.initialize`.

    Args:
        gain: Multiplies the standard deviation. Defaults to `1.0`.
        seed: An integer, a `keras.random.SeedGenerator` or None (default: random). With
            an integer or None each call gives the same values.
        mode: `"fan_in"` (default) divides by the number of inputs of a unit, which
            keeps the variance of the forward signal. `"fan_out"` divides by the number
            of outputs, which keeps that of the gradient.
        input_axes: Axes of the kernel whose product is the fan-in, for kernels with
            other layouts. Keras sets it for `EinsumDense`. Defaults to None.
        output_axes: Axes whose product is the fan-out. Defaults to None.

    Raises:
        ValueError: If `gain` is not positive, `mode` is unknown or an axis is wrong.

    Example:
    >>> import keras, numpy as np
    >>> import keras_dlbasic as kd
    >>> kernel = kd.initializers.HeUniform(seed=0)((300, 100))
    >>> round(float(keras.ops.std(kernel)), 2)
    0.08

    Reference:
        He, Zhang, Ren & Sun (2015), Delving deep into rectifiers.
    """

    def __init__(
        self,
        gain: float = 1.0,
        seed: Any = None,
        *,
        mode: str = "fan_in",
        input_axes: Sequence[int] | None = None,
        output_axes: Sequence[int] | None = None,
    ) -> None:
        super().__init__(
            scale=2.0 * check_gain(gain) ** 2,
            mode=check_mode(mode),
            distribution="uniform",
            seed=seed,
        )
        self.gain = float(gain)
        self.input_axes = as_axes(input_axes, "input_axes")
        self.output_axes = as_axes(output_axes, "output_axes")

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> Any:  # noqa: D102
        return draw(self, shape, dtype)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of the constructor."""
        return config_of(self, "mode")
