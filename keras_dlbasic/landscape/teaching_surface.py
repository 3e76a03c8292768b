"""Landscapes of two weights, as Keras models."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_dlbasic._wrong_arguments import names_nearest

Height = Callable[[Any, Any], Any]

SURFACES: dict[str, tuple[Height, tuple[float, float]]] = {
    "saddle": (lambda u, v: u**2 - v**2, (-1.5, 0.0)),
    "ravine": (lambda u, v: (u**2 + 15 * v**2) / 2, (-1.5, 0.5)),
    "two_minima": (lambda u, v: (u**2 - 1) ** 2 / 4 + 0.2 * u + v**2, (1.5, 0.75)),
    "plateau": (lambda u, v: 1 - ops.exp(-(u**2 + v**2) / 2), (4.0, 4.0)),
}
"""Height at two coordinates, and where a model starts, by name."""


@keras.saving.register_keras_serializable(package="keras_dlbasic")
class SurfaceHeight(keras.layers.Layer):
    """Gives the height of a surface at its two weights, shifted for each sample.

    Args:
        surface: `"saddle"`, `"ravine"`, `"two_minima"` or `"plateau"`.
        **kwargs: See `keras.layers.Layer`.
    """

    def __init__(self, surface: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        _check(surface)
        self.surface = surface

    def build(self, input_shape: Any) -> None:
        """Make the weights: where on the surface the model is."""
        self.place = self.add_weight(name="place", shape=(2,), initializer="zeros")

    def call(self, inputs: Any) -> Any:
        """Return the height at the weights less `inputs`, `[n, 1]`."""
        height, _ = SURFACES[self.surface]
        u, v = self.place[0] - inputs[:, :1], self.place[1] - inputs[:, 1:]
        return height(u, v)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the shape of the heights."""
        return (*input_shape[:-1], 1)

    def get_config(self) -> dict[str, Any]:
        """Return what makes such a layer."""
        return {**super().get_config(), "surface": self.surface}


@keras.saving.register_keras_serializable(package="keras_dlbasic")  # type: ignore[untyped-decorator, unused-ignore]
def predicted_height(y_true: Any, y_pred: Any) -> Any:
    """Return the prediction itself as loss: what is learned is to be low."""
    return ops.mean(y_pred, axis=-1)


@names_nearest
def teaching_surface(
    name: str,
    *,
    learning_rate: float = 0.1,
    samples: int = 256,
    spread: float = 0.4,
    seed: int = 0,
) -> tuple[Any, np.ndarray, np.ndarray]:
    """Return a Keras model whose loss is a surface over its two weights, with data.

    The loss of each sample is the surface shifted by a random amount; the shifts come
    in pairs that cancel out. So the batch size matters as in any training, and all
    callbacks, studies and plots can be used. On the saddle the model starts on the
    ridge: full-batch training moves to the saddle point and stops there. With single
    samples, the noise leads away from it.

    - `"saddle"`: `u^2 - v^2`
    - `"ravine"`: `(u^2 + 15 v^2) / 2`
    - `"two_minima"`: `(u^2 - 1)^2 / 4 + 0.2 u + v^2`, the nearer minimum is
      higher
    - `"plateau"`: `1 - exp(-(u^2 + v^2) / 2)`, started far away

    Args:
        name: Name of a surface, one of the above.
        learning_rate: Learning rate of the SGD optimizer.
        samples: Number of samples, even.
        spread: Standard deviation of the shifts.
        seed: Seed of the shifts.

    Returns:
        The compiled model, its inputs (the shifts, `[samples, 2]`) and its targets,
        which are zeros.

    Raises:
        ValueError: If there is no such surface, or `samples` is odd.

    Example:
    >>> import keras_dlbasic as kd
    >>> model, x, y = kd.landscape.teaching_surface("saddle")
    >>> history = model.fit(x, y, batch_size=256, epochs=30, verbose=0)
    >>> kd.landscape.classify_point(model, x, y).verdict
    'saddle'
    """
    _check(name)
    if samples < 2 or samples % 2:
        raise ValueError(
            "`samples` must be even, as the shifts come in pairs, and at least 2. "
            f"Received: samples={samples!r}"
        )
    half = np.random.default_rng(seed).normal(0, spread, (samples // 2, 2))
    # multiples of 1/1024, so that sums of them are exact and pairs do cancel
    half = np.round(half * 1024) / 1024
    x = np.concatenate([half, -half]).astype("float32")
    layer = SurfaceHeight(name, name=name)
    model = keras.Sequential([keras.Input((2,)), layer])
    layer.place.assign(np.array(SURFACES[name][1], "float32"))
    model.compile(keras.optimizers.SGD(learning_rate), predicted_height)
    return model, x, np.zeros((samples, 1), "float32")


def _check(name: Any) -> None:
    if name not in SURFACES:
        raise ValueError(
            f"The surface must be one of {tuple(SURFACES)}. Received: {name!r}"
        )
