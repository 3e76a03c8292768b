"""More data from the data there are: images and texts, changed but meaning the same.

- `AugmentedBatches`: batches of arrays that are changed anew each time
- `BackTranslation`: texts translated to another language and back
- `ImageAugmentation`: shifts, rotations, zooms, noise, erasing, mixing, by one strength
- `ImageNoise`: Gaussian noise on images
- `TextNoise`: words left out or swapped, for texts
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
