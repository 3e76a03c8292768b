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

    In training, `mu_B = 1/m sum x_i` and `var_B = 1/m sum (x_i - mu_B)^2` are those of
    the batch, for each channel; at inference, moving averages of them. Put it before
    the activation, as the paper does.

    Computation, arguments, weights and speed are those of
    `keras.layers.BatchNormalization`, which saved weights can be exchanged with; take
    either. This one checks its arguments, and `callbacks.NormalizationMonitor` watches
    both: how far the moving averages are from the batches, and whether there is more
    than one value per channel to normalize. With one (batch size 1 and no other axes)
    the output is `beta` whatever the input: use `LayerNormalization` there.

    Why it helps is contested. The paper's reason, less "internal covariate shift", was
    not confirmed by Santurkar et al. (2018), who find a smoother loss surface instead.

    Args:
        axis: The axis of the channels. Defaults to `-1`.
        momentum: Share of the old moving average that a step keeps, from 0 to 1.
            Defaults to `0.99`.
        epsilon: The eps of the formula. Defaults to `1e-3`.
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
