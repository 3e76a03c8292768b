"""A12. Batch normalization also regularizes, by the noise of small batches
========================================================================

A sample's output depends on the others in its batch. In batches of three that noise
keeps a network from memorizing wrong labels. Too simple in the texts: in batches of
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
    for offset, (where, label, color) in enumerate(
        (
            ("on those for training", "training digits", "tab:orange"),
            ("on unseen digits", "unseen digits", "tab:blue"),
        )
    ):
        losses = [found[f"loss {name}, {where}"] for name in ("without", "with")]
        bars = ax.bar(
            np.arange(2) + 0.4 * offset, losses, 0.38, label=label, color=color
        )
        ax.bar_label(bars, fmt="{:.2f}")
    without, batch = (gap(found, name) for name in ("without", "with"))
    ax.set_xticks([0.2, 1.2], ["no normalization", "batch normalization"])
    ax.set(ylabel="loss (150 digits, 20 wrong labels, batches of 3)")
    ax.set_title(
        f"Batch normalization narrows the gap from {without:.2f} to {batch:.2f}"
    )
    ax.margins(y=0.1)
    ax.legend()


if __name__ == "__main__":
    show(measure, holds, draw)
