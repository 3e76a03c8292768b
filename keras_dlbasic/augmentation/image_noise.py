"""ImageNoise."""

from __future__ import annotations

from typing import Any

import keras

from keras_dlbasic._keras.image_layers import ImageLayer, running_generator
from keras_dlbasic._wrong_arguments import names_nearest


@names_nearest
@keras.saving.register_keras_serializable(package="keras_dlbasic")
class ImageNoise(ImageLayer):
    """Adds Gaussian noise to images, in training.

    Like `keras.layers.GaussianNoise`, but it also runs in `tf.data`, as Keras' other
    image layers do.

    Args:
        stddev: Standard deviation of the noise, in units of the images.
        seed: An integer, or None (default: random).
        value_range: Smallest and largest value of a pixel. Noisy images are clipped to
            it, unless the image itself exceeds it. Defaults to None: no clipping.
        **kwargs: `name`, `dtype`.

    Raises:
        ValueError: If `stddev` is negative, or `value_range` is no range.

    Example:
    >>> import numpy as np
    >>> import keras_dlbasic as kd
    >>> layer = kd.augmentation.ImageNoise(0.1, seed=0)
    >>> tuple(layer(np.ones((2, 4, 4, 1), "float32"), training=True).shape)
    (2, 4, 4, 1)
    """

    _USE_BASE_FACTOR = False

    def __init__(
        self,
        stddev: float,
        seed: int | None = None,
        *,
        value_range: tuple[float, float] | None = None,
        **kwargs: Any,
    ) -> None:
        if not isinstance(stddev, (int, float)) or isinstance(stddev, bool):
            raise ValueError(f"`stddev` must be a number. Received: stddev={stddev!r}")
        if not stddev >= 0:
            raise ValueError(f"`stddev` must not be negative. Received: {stddev!r}")
        if value_range is not None and not value_range[0] < value_range[1]:
            raise ValueError(
                "`value_range` must be the least and the largest value of a pixel. "
                f"Received: {value_range!r}"
            )
        super().__init__(**kwargs)
        self.stddev = stddev
        self.value_range = None if value_range is None else tuple(value_range)
        self.seed = seed
        self.generator = keras.random.SeedGenerator(seed)

    def call(self, data: Any, training: bool = False) -> Any:  # noqa: D102
        return super().call(data, training=training)

    def get_random_transformation(  # noqa: D102
        self, data: Any, training: bool = True, seed: Any = None
    ) -> Any:
        if not training:
            return None
        images = data["images"] if isinstance(data, dict) else data
        return self.backend.random.normal(
            self.backend.shape(images),
            stddev=self.stddev,
            dtype=self.compute_dtype,
            seed=seed or running_generator(self),
        )

    def transform_images(  # noqa: D102
        self, images: Any, transformation: Any, training: bool = True
    ) -> Any:
        images = self.backend.cast(images, self.compute_dtype)
        if not training:
            return images
        return self._clipped(images + transformation, images)

    def _clipped(self, noisy: Any, images: Any) -> Any:
        if self.value_range is None:
            return noisy
        numpy = self.backend.numpy
        # Images whose pixels are scaled in another way than was said, standardized ones
        # for instance, must not lose what is outside the range.
        low, high = self.value_range
        least = numpy.minimum(numpy.min(images, axis=(-3, -2, -1), keepdims=True), low)
        most = numpy.maximum(numpy.max(images, axis=(-3, -2, -1), keepdims=True), high)
        return numpy.minimum(numpy.maximum(noisy, least), most)

    def transform_labels(  # noqa: D102
        self, labels: Any, transformation: Any, training: bool = True
    ) -> Any:
        return labels

    def compute_output_shape(self, input_shape: Any) -> Any:  # noqa: D102
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of the constructor."""
        config = super().get_config()
        return {
            **{key: config[key] for key in ("name", "trainable", "dtype")},
            "stddev": self.stddev,
            "seed": self.seed,
            "value_range": self.value_range,
        }
