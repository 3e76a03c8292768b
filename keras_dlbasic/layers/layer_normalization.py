"""LayerNormalization."""

from __future__ import annotations

from typing import Any

import keras

from keras_dlbasic._wrong_arguments import names_nearest
from keras_dlbasic.layers.arguments import check_axes, check_epsilon


@names_nearest
@keras.saving.register_keras_serializable(package="keras_dlbasic")
class LayerNormalization(keras.layers.LayerNormalization):
    """Layer normalization: `y = gamma * (x - mu) / sqrt(var + eps) + beta`.

    Mean and (biased) variance are computed over the features of one sample. So the
    layer does the same in training and at inference, and works with any batch size,
    even 1.

    Computation, arguments, weights and speed are those of
    `keras.layers.LayerNormalization`, so you can use either. This one also checks its
    arguments.

    Args:
        axis: The axis, or axes, of the features. Defaults to `-1`.
        epsilon: `eps` in the formula. Defaults to `1e-3`.
        **kwargs: As in `keras.layers.LayerNormalization`: `center`, `scale`,
            initializers, regularizers, constraints, `name`, `dtype`.

    Raises:
        ValueError: If `epsilon` is negative, the input has no such axis, or an axis is
            the batch axis.

    Reference:
        Ba, Kiros & Hinton (2016), Layer normalization.

    Example:
    >>> import keras, numpy as np
    >>> import keras_dlbasic as kd
    >>> layer = kd.layers.LayerNormalization(epsilon=1e-12)
    >>> y = layer(np.array([[1.0, 3.0]], "float32"))
    >>> keras.ops.convert_to_numpy(y)[0].round(3).tolist()
    [-1.0, 1.0]
    """

    def __init__(self, axis: Any = -1, epsilon: float = 1e-3, **kwargs: Any) -> None:
        check_epsilon(epsilon)
        super().__init__(axis=axis, epsilon=epsilon, **kwargs)

    def build(self, input_shape: Any) -> None:  # noqa: D102
        axes = self.axis if isinstance(self.axis, (list, tuple)) else [self.axis]
        check_axes(self, axes, input_shape)
        super().build(input_shape)
