"""ImageAugmentation."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import keras

from keras_dlbasic._arguments import shown
from keras_dlbasic._wrong_arguments import names_nearest
from keras_dlbasic.augmentation.cut_mix import CutMix
from keras_dlbasic.augmentation.image_noise import ImageNoise

KINDS = ("shift", "rotation", "zoom", "noise", "erasing", "contrast")
PLACES = {"flip": 5, "mix": 6, "contrast": 7}
"""What is added to the seed, besides the places of the first kinds."""
FLIPS = ("horizontal", "vertical", "horizontal_and_vertical", None)
MIXES = ("mixup", "cutmix", None)


@names_nearest
@keras.saving.register_keras_serializable(package="keras_dlbasic")
class ImageAugmentation(keras.layers.Pipeline):
    """Augments images at random during training.

    Combines Keras' own image layers, with one number for the strength of all. As the
    first layer of a model it acts in `fit` only and is saved with the model. In a data
    pipeline use `dataset.map(augmentation.batch)` or `augmentation.AugmentedBatches`;
    `batch` also changes the labels if images are mixed.

    Args:
        strength: From 0 (no augmentation) to 1. It is the largest shift and zoom (share
            of the image), the largest rotation (share of 90 degrees), twice the
            standard deviation of the noise (share of `value_range`), the largest erased
            area (share of the image), and the largest relative change of contrast.
            Defaults to 0.1.
        kinds: Some of `"shift"`, `"rotation"`, `"zoom"`, `"noise"`, `"erasing"` (every
            second image gets a rectangle filled with the middle of `value_range`),
            `"contrast"`. Defaults to the first four.
        flip: `"horizontal"`, `"vertical"` or `"horizontal_and_vertical"`, if mirrored
            images keep their class. Defaults to None, because mirrored digits and
            letters do not.
        mix: `"mixup"` (Zhang et al. 2018) or `"cutmix"` (Yun et al. 2019). Both mix
            images and their labels, so they act in a data pipeline only and need
            one-hot labels. With `"cutmix"` labels are weighted by the exact area that
            was pasted. Defaults to None.
        value_range: Smallest and largest value of a pixel. Noise and contrast are
            clipped to it. Defaults to `(0.0, 1.0)`.
        seed: An integer, or None (default: random).
        **kwargs: `name`, `dtype`.

    Raises:
        ValueError: If an argument is none of these.

    Example:
    >>> import numpy as np
    >>> import keras_dlbasic as kd
    >>> augmentation = kd.augmentation.ImageAugmentation(0.2, seed=0)
    >>> images = np.random.default_rng(0).uniform(size=(2, 8, 8, 1)).astype("float32")
    >>> bool((np.asarray(augmentation(images)) == images).all())  # inference
    True
    >>> tuple(augmentation(images, training=True).shape)
    (2, 8, 8, 1)
    """

    def __init__(
        self,
        strength: float = 0.1,
        kinds: Sequence[str] = KINDS[:4],
        *,
        flip: str | None = None,
        mix: str | None = None,
        value_range: tuple[float, float] = (0.0, 1.0),
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        _check(strength, kinds, flip, mix, value_range)
        dtype = kwargs.pop("dtype", None)
        parts = _layers(strength, kinds, flip, value_range, seed)
        super().__init__(parts, **kwargs)
        if dtype is not None:
            self.dtype_policy = keras.dtype_policies.get(dtype)
        self.strength = strength
        self.kinds = tuple(kinds)
        self.flip = flip
        self.mix = mix
        self.value_range = (float(value_range[0]), float(value_range[1]))
        self.seed = seed
        self._mixer = _mixer(mix, strength, _seed(seed, PLACES["mix"]))

    def build(self, input_shape: Any) -> None:  # noqa: D102
        for layer in self.layers:
            layer.build(input_shape)
        self.built = True

    def call(self, inputs: Any, training: bool = False, mask: Any = None) -> Any:  # noqa: D102
        if training and self.mix is not None:
            raise ValueError(
                f"mix={self.mix!r} changes labels too, which a layer does not see. Use "
                "it in the data pipeline: `dataset.map(augmentation.batch)` or "
                "`augmentation.AugmentedBatches(x, y, augmentation.batch)`."
            )
        if not (training and self.layers):
            return inputs
        # images lose too much in half precision, and not all layers run in it
        changed = super().call(keras.ops.cast(inputs, "float32"), training=True)
        return keras.ops.cast(changed, self.compute_dtype)

    def batch(self, images: Any, labels: Any = None) -> Any:
        """Return an augmented batch, as in training; for data pipelines.

        Args:
            images: `(batch, height, width, channels)`.
            labels: Labels; one-hot floats if images are mixed. Defaults to None: only
                images are passed and returned.

        Returns:
            `(images, labels)`, or the images alone.

        Raises:
            ValueError: If images are mixed and labels cannot be.
        """
        changed = super().call(images, training=True) if self.layers else images
        if self._mixer is None:
            return changed if labels is None else (changed, labels)
        if labels is None or len(labels.shape) != 2 or "int" in str(labels.dtype):
            raise ValueError(
                f"mix={self.mix!r} needs one-hot labels as floats, of shape (batch, "
                "classes): `keras.utils.to_categorical(y)`. Received: "
                + ("none" if labels is None else f"{labels.shape} of {labels.dtype}")
            )
        with warnings.catch_warnings():
            # Keras' MixUp asks for int64, of which JAX says that it takes int32
            warnings.filterwarnings("ignore", message="Explicitly requested dtype")
            mixed = self._mixer({"images": changed, "labels": labels}, training=True)
        return mixed["images"], mixed["labels"]

    def compute_output_shape(self, input_shape: Any) -> Any:  # noqa: D102
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of the constructor."""
        return {
            "name": self.name,
            "dtype": keras.saving.serialize_keras_object(self.dtype_policy),
            "strength": self.strength,
            "kinds": list(self.kinds),
            "flip": self.flip,
            "mix": self.mix,
            "value_range": list(self.value_range),
            "seed": self.seed,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> ImageAugmentation:
        """Create a layer from the dict that `get_config` returned."""
        config = dict(config)
        if isinstance(config.get("dtype"), dict):
            config["dtype"] = keras.saving.deserialize_keras_object(config["dtype"])
        return cls(**config)


def _layers(
    strength: float,
    kinds: Sequence[str],
    flip: str | None,
    value_range: tuple[float, float],
    seed: int | None,
) -> list[Any]:
    low, high = value_range
    layers = keras.layers
    edge = {"fill_mode": "nearest"}
    makers: dict[str, Any] = {
        "shift": lambda **k: layers.RandomTranslation(strength, strength, **edge, **k),
        "rotation": lambda **k: layers.RandomRotation(strength / 4, **edge, **k),
        "zoom": lambda **k: layers.RandomZoom(strength, **edge, **k),
        "noise": lambda **k: ImageNoise(
            strength * (high - low) / 2, value_range=(low, high), **k
        ),
        "erasing": lambda **k: layers.RandomErasing(
            (0.5, 0.5),
            scale=(0.0, strength),
            fill_value=float((low + high) / 2),
            value_range=(low, high),
            **k,
        ),
        "contrast": lambda **k: layers.RandomContrast(
            strength, value_range=(low, high), **k
        ),
    }
    # The seed of a layer goes by its place among all kinds. So the others draw the same
    # if one is left out.
    made = [
        makers[kind](seed=_seed(seed, PLACES.get(kind, place)), dtype="float32")
        for place, kind in enumerate(KINDS)
        if kind in kinds and strength > 0
    ]
    if flip is not None:
        seed = _seed(seed, PLACES["flip"])
        made.append(layers.RandomFlip(flip, seed=seed, dtype="float32"))
    if keras.backend.backend() == "jax":
        for layer in made:
            # Keras says no for TensorFlow's sake, and JAX would run the whole model
            # uncompiled: a hundred times slower
            layer.supports_jit = True
    return made


def _mixer(mix: str | None, strength: float, seed: int | None) -> Any:
    # 0.1 gives 0.2, what Zhang et al. take for ImageNet
    share = min(1.0, 2 * strength)
    if mix is None or not share:
        return None
    if mix == "mixup":
        return keras.layers.MixUp(share, seed=seed)
    return CutMix((share, share), seed=seed)


def _seed(seed: int | None, place: int) -> int | None:
    return None if seed is None else seed + place


def _check(strength: Any, kinds: Any, flip: Any, mix: Any, value_range: Any) -> None:
    if not isinstance(strength, (int, float)) or not 0 <= strength <= 1:
        raise ValueError(
            f"`strength` must be from 0 to 1. Received: strength={shown(strength)}"
        )
    if isinstance(kinds, str) or not set(kinds) <= set(KINDS):
        raise ValueError(f"`kinds` must be some of {KINDS}. Received: {kinds!r}")
    for name, value, choices in (("flip", flip, FLIPS), ("mix", mix, MIXES)):
        if value not in choices:
            raise ValueError(f"`{name}` must be one of {choices}. Received: {value!r}")
    is_pair = isinstance(value_range, (tuple, list)) and len(value_range) == 2
    if not is_pair or not value_range[0] < value_range[1]:
        raise ValueError(
            "`value_range` must be the least and the largest value of a pixel, such as "
            f"(0, 255). Received: {shown(value_range)}"
        )
