"""A12. Batch normalization also regularizes: by the noise of small batches
========================================================================

A sample's output depends on the others in its batch. In batches of three that noise
keeps a net from learning wrong labels by heart. Too simple in the texts: in batches of
thirty there is less of it, and little is left of the effect.
"""

import keras
import numpy as np
from gallery import LOSS, digits, mislabelled, show

import keras_dlbasic as kd


def measure(seed):
    x, y, test_x, test_y = digits(150, seed)
    y = mislabelled(y, 20, seed)
    found = {}
    for name in ("without", "with"):
        keras.utils.set_random_seed(seed)
        layers = [keras.Input((64,))]
        for _ in range(2):
            layers.append(keras.layers.Dense(128))
            if name == "with":
                layers.append(kd.layers.BatchNormalization(momentum=0.9))
            layers.append(keras.layers.Activation("relu"))
        model = keras.Sequential([*layers, keras.layers.Dense(10)])
        model.compile(keras.optimizers.Adam(3e-3), LOSS)
        model.fit(x, y, batch_size=3, epochs=12, verbose=0)
        found[f"loss {name}, on unseen digits"] = model.evaluate(
            test_x, test_y, verbose=0
        )
        found[f"loss {name}, on those for training"] = model.evaluate(x, y, verbose=0)
    return found


def gap(found, name):
    unseen, trained = (value for key, value in found.items() if f"loss {name}," in key)
    return unseen - trained


def holds(found):
    return gap(found, "with") < 0.8 * gap(found, "without")


def draw(found, ax):
    for offset, (where, color) in enumerate(
        (("on unseen digits", "C1"), ("on those for training", "C0"))
    ):
        losses = [found[f"loss {name}, {where}"] for name in ("without", "with")]
        places = np.arange(2) + 0.4 * offset
        ax.bar(places, losses, 0.38, label=where, color=color)
    ax.set_xticks([0.2, 1.2], ["without", "with batch normalization"])
    ax.set(title="150 digits, 20 wrong labels, batches of 3", ylabel="loss")
    ax.legend()


if __name__ == "__main__":
    show(measure, holds, draw)
