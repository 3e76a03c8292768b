"""Dropout."""

from __future__ import annotations

from typing import Any

import keras

from keras_dlbasic._arguments import is_number
from keras_dlbasic._wrong_arguments import names_nearest


@names_nearest
@keras.saving.register_keras_serializable(package="keras_dlbasic")
class Dropout(keras.layers.Dropout):
    """Dropout: in training each unit is zero with probability `rate`, else scaled up.

    The other units are multiplied by `1 / (1 - rate)`, so the expected sum is
    unchanged. At inference no unit is dropped. Computation and speed are those of
    `keras.layers.Dropout`; use that one unless you need `monte_carlo`.

    Args:
        rate: Probability of dropping a unit, from 0 to 1.
        noise_shape: Shape of the mask, as in Keras; 1 along axes on which units are
            dropped together. Defaults to None: each unit independently.
        seed: An integer, or None (default: random).
        monte_carlo: Whether to drop units at inference as well. Repeated predictions
            then differ, and their spread estimates the uncertainty of the model (Gal &
            Ghahramani 2016). `layers.mc_predict` works on any model, without this
            argument. Defaults to `False`.
        **kwargs: `name`, `dtype`.

    Raises:
        ValueError: If `rate` is not from 0 to 1.

    Reference:
        Srivastava, Hinton, Krizhevsky, Sutskever & Salakhutdinov (2014), Dropout.

    Example:
    >>> import numpy as np
    >>> import keras_dlbasic as kd
    >>> layer = kd.layers.Dropout(0.5, seed=0)
    >>> float(layer(np.ones((1, 1), "float32"))[0, 0])  # inference
    1.0
    """

    def __init__(
        self,
        rate: float,
        noise_shape: Any = None,
        seed: int | None = None,
        *,
        monte_carlo: bool = False,
        **kwargs: Any,
    ) -> None:
        if not is_number(rate) or not 0 <= rate <= 1:
            raise ValueError(
                "`rate` is the probability of dropping a unit and must be from 0 to 1. "
                f"Received: rate={rate!r}"
            )
        super().__init__(rate, noise_shape=noise_shape, seed=seed, **kwargs)
        self.monte_carlo = bool(monte_carlo)

    def call(self, inputs: Any, training: bool = False) -> Any:  # noqa: D102
        return super().call(inputs, training=training or self.monte_carlo)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of the constructor."""
        return {**super().get_config(), "monte_carlo": self.monte_carlo}
