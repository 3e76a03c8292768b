"""A4. Augmentation lowers the error of a model that is trained on few images
==========================================================================

Too simple in the texts: augmentation gives the variety that it makes, and no other. On
moved digits a net errs less for it, on digits that stand in the middle, like those of
the training, it may err more.
"""

import keras
import numpy as np
from gallery import LOSS, digits, show

import keras_dlbasic as kd

ARMS = {"as they are": 0.0, "moved and turned": 0.15}


def measure(seed):
    x, y, test_x, test_y = digits(100, seed)
    images, test = (rows.reshape(-1, 8, 8, 1) for rows in (x, test_x))
    sides = np.random.default_rng(seed).choice((-1, 1), (len(test), 2))
    moved = np.stack([np.roll(i, s, (0, 1)) for i, s in zip(test, sides, strict=True)])
    found = {}
    for name, strength in ARMS.items():
        keras.utils.set_random_seed(seed)
        change = kd.augmentation.ImageAugmentation(
            strength, kinds=("shift", "rotation"), seed=seed
        )
        layers = [change, keras.layers.Flatten(), keras.layers.Dense(128, "relu")]
        layers = [keras.Input((8, 8, 1)), *layers, keras.layers.Dense(10)]
        model = keras.Sequential(layers)
        model.compile(keras.optimizers.Adam(3e-3), LOSS)
        model.fit(images, y, epochs=40, verbose=0)
        for kind, rows in (("in the middle", test), ("moved by a pixel", moved)):
            answers = model.predict(rows, verbose=0).argmax(axis=1)
            found[f"{name}, tested {kind}"] = float(np.mean(answers != test_y))
    return found


def holds(found):
    plain, changed = (found[f"{name}, tested moved by a pixel"] for name in ARMS)
    return changed < plain


def draw(found, ax):
    for place, name in enumerate(ARMS):
        bars = {k.split(" tested ")[1]: v for k, v in found.items() if name in k}
        ax.bar(np.arange(2) + 0.4 * place - 0.2, bars.values(), 0.38, label=name)
    ax.set_xticks(range(2), [f"unseen, {kind}" for kind in bars])
    ax.set(title="100 digits for training", ylabel="share wrong")
    ax.legend(title="trained")


if __name__ == "__main__":
    show(measure, holds, draw)
