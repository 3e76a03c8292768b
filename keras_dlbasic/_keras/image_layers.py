"""What an image layer of your own needs, and Keras has no public name for."""

from __future__ import annotations

from typing import Any

import keras

ImageLayer: Any = keras.layers.RandomErasing.__bases__[0]
"""The class of Keras' image layers, which run in `tf.data` on every backend."""


def running_generator(layer: Any) -> Any:
    """Return the random generator of an image layer, for the backend that it runs in.

    In `tf.data` that is TensorFlow, whatever the backend of Keras.
    """
    return layer._get_seed_generator(layer.backend._backend)
