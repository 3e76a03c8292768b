"""BatchNormalization."""

from __future__ import annotations

from typing import Any

import keras

from keras_dlbasic._arguments import is_number
from keras_dlbasic._wrong_arguments import names_nearest
from keras_dlbasic.layers.arguments import check_axes, check_epsilon


@names_nearest
@keras.saving.register_keras_serializable(package="keras_dlbasic")
class BatchNormalization(keras.layers.BatchNormalization):
    """Batch normalization: `y = gamma * (x - mu_B) / sqrt(var_B + eps) + beta`.

    In training, `mu_B = 1/m sum x_i` and `var_B = 1/m sum (x_i - mu_B)^2` are computed
    over the batch for each channel. At inference, their moving averages are used. Place
    the layer before the activation, as the paper does.

    Computation, arguments, weights and speed are those of
    `keras.layers.BatchNormalization`, and saved weights are interchangeable, so you can
    use either. This one also checks its arguments. `callbacks.NormalizationMonitor`
    works with both: it records how far the moving averages are from the batch
    statistics, and warns if a channel has only one value to normalize. In that case
    (batch size 1 and no other axes) the output is `beta` for any input; use
    `LayerNormalization` instead.

    Why it helps is debated. The paper's reason was less "internal covariate shift".
    Santurkar et al. (2018) did not confirm this; they found a smoother loss surface.

    Args:
        axis: The axis of the channels. Defaults to `-1`.
        momentum: Weight of the old moving average in each update, from 0 to 1. Defaults
            to `0.99`.
        epsilon: `eps` in the formula. Defaults to `1e-3`.
        **kwargs: As in `keras.layers.BatchNormalization`: `center`, `scale`,
            initializers, regularizers, constraints, `synchronized`, `name`, `dtype`.

    Raises:
        ValueError: If `momentum` or `epsilon` is out of range or the input has no such
            axis.

    Reference:
        Ioffe & Szegedy (2015), Batch normalization; Santurkar, Tsipras, Ilyas & Madry
        (2018), How does batch normalization help optimization?

    Example:
    >>> import keras, numpy as np
    >>> import keras_dlbasic as kd
    >>> layer = kd.layers.BatchNormalization(epsilon=1e-12)
    >>> y = layer(np.array([[1.0], [3.0]], "float32"), training=True)
    >>> keras.ops.convert_to_numpy(y)[:, 0].round(3).tolist()
    [-1.0, 1.0]
    """

    def __init__(
        self,
        axis: int = -1,
        momentum: float = 0.99,
        epsilon: float = 1e-3,
        **kwargs: Any,
    ) -> None:
        if not is_number(momentum) or not 0 <= momentum <= 1:
            raise ValueError(
                "`momentum` is the share of the old moving average that each step "
                f"keeps, from 0 to 1. Received: momentum={momentum!r}"
            )
        check_epsilon(epsilon)
        super().__init__(axis=axis, momentum=momentum, epsilon=epsilon, **kwargs)

    def build(self, input_shape: Any) -> None:  # noqa: D102
        check_axes(self, [self.axis], input_shape)
        super().build(input_shape)
