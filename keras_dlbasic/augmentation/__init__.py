"""Augmentation of images and texts, with labels unchanged.

- `AugmentedBatches`: batches of arrays that are augmented in each epoch
- `BackTranslation`: texts translated to another language and back
- `ImageAugmentation`: shift, rotation, zoom, noise, erasing, mixing, with one strength
- `ImageNoise`: Gaussian noise on images
- `TextNoise`: dropped and swapped words in texts
- `TokenNoise`: the same as a layer, for token ids
"""

from typing import TYPE_CHECKING

from keras_dlbasic._front import front
from keras_dlbasic.augmentation.image_augmentation import ImageAugmentation
from keras_dlbasic.augmentation.image_noise import ImageNoise
from keras_dlbasic.augmentation.token_noise import TokenNoise

if TYPE_CHECKING:
    from keras_dlbasic.augmentation.augmented_batches import AugmentedBatches
    from keras_dlbasic.augmentation.back_translation import BackTranslation
    from keras_dlbasic.augmentation.text_noise import TextNoise

__all__ = [
    "AugmentedBatches",
    "BackTranslation",
    "ImageAugmentation",
    "ImageNoise",
    "TextNoise",
    "TokenNoise",
]

if not TYPE_CHECKING:
    # only layers must be known to Keras from the start
    _LATER = {
        "AugmentedBatches": "augmented_batches",
        "BackTranslation": "back_translation",
        "TextNoise": "text_noise",
    }
    __getattr__, __dir__ = front(__name__, _LATER)
