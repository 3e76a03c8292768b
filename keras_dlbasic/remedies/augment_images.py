"""The remedy that shows a model each image in many forms."""

from __future__ import annotations

from typing import Any

import keras

from keras_dlbasic._keras.outputs import check_known
from keras_dlbasic._keras.rebuild import rebuild
from keras_dlbasic._wrong_arguments import names_nearest
from keras_dlbasic.remedies._registry import remedy


@remedy()
@names_nearest
def augment_images(
    model: Any, strength: float = 0.1, *, flip: str | None = None, seed: int = 0
) -> Any:
    """Add random shifts, rotations and zooms in front of an image model.

    The new layers act in training only and are saved with the model.

    Args:
        model: A built Sequential or Functional model with one input
            `(height, width, channels)`.
        strength: Largest shift and zoom as a share of the image, and largest rotation
            as a share of 90 degrees. Defaults to 0.1.
        flip: `"horizontal"`, `"vertical"` or `"horizontal_and_vertical"`, if mirrored
            images keep their class. Defaults to None, because mirrored digits and
            letters do not.
        seed: An integer. Defaults to 0.

    Returns:
        A new model with the same weights, compiled like `model`, with a new optimizer
        state.

    Raises:
        ValueError: If the model does not have exactly one image input, `strength` is
            not from 0 to 1, or the model cannot be rebuilt.

    Example:
    >>> import keras
    >>> import keras_dlbasic as kd
    >>> layers = [keras.Input((8, 8, 1)), keras.layers.Flatten()]
    >>> model = keras.Sequential([*layers, keras.layers.Dense(1)])
    >>> new = kd.remedies.augment_images(model)
    >>> [type(layer).__name__ for layer in new.layers][:2]
    ['RandomTranslation', 'RandomRotation']
    """
    check_known(model)
    if not 0 <= strength <= 1:
        raise ValueError(f"`strength` must be from 0 to 1. Received: {strength!r}")
    if len(model.inputs) != 1 or len(model.inputs[0].shape) != 4:
        raise ValueError(
            "Only models with one input of images, (height, width, channels), can be "
            f"augmented. Received inputs: {[tuple(t.shape) for t in model.inputs]}"
        )
    layers = [
        keras.layers.RandomTranslation(
            strength, strength, fill_mode="nearest", seed=seed
        ),
        keras.layers.RandomRotation(strength / 4, fill_mode="nearest", seed=seed + 1),
        keras.layers.RandomZoom(strength, fill_mode="nearest", seed=seed + 2),
    ]
    if flip is not None:
        layers.append(keras.layers.RandomFlip(flip, seed=seed + 3))
    return rebuild(model, first=[layers])
