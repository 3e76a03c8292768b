"""A4. Few images, shown in many forms, teach more than the same few as they are
=============================================================================

Too simple in the texts: an image must still mean the same. Digits may be moved and
turned a little, but not mirrored.
"""

import keras
import numpy as np
from gallery import LOSS, digits, show

import keras_dlbasic as kd

CHANGES = {
    "as they are": None,
    "moved, turned, noisy": {"strength": 0.15},
    "upside down, mirrored": {"strength": 0.0, "flip": "horizontal_and_vertical"},
}


def measure(seed):
    x, y, test_x, test_y = (
        part.reshape(-1, 8, 8, 1) if part.ndim == 2 else part
        for part in digits(100, seed)
    )
    span = (float(x.min()), float(x.max()))
    found = {}
    for name, change in CHANGES.items():
        keras.utils.set_random_seed(seed)
        layers = [keras.Input((8, 8, 1))]
        if change is not None:
            make = kd.augmentation.ImageAugmentation
            layers.append(make(**change, value_range=span, seed=seed))
        layers += [keras.layers.Flatten(), keras.layers.Dense(128, "relu")]
        model = keras.Sequential([*layers, keras.layers.Dense(10)])
        model.compile(keras.optimizers.Adam(3e-3), LOSS)
        model.fit(x, y, epochs=100, verbose=0)
        answers = model.predict(test_x, verbose=0).argmax(axis=1)
        found[name] = float(np.mean(answers != test_y))
    return found


def holds(found):
    plain, changed, flipped = (found[name] for name in CHANGES)
    return changed < plain < flipped


def draw(found, ax):
    ax.bar(list(CHANGES), [found[name] for name in CHANGES])
    ax.set(title="100 digits for training", ylabel="share wrong of unseen ones")


if __name__ == "__main__":
    show(measure, holds, draw)
