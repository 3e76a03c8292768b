"""A9. Dropout drops units in training, not at inference, and narrows the gap
==========================================================================
"""

import keras
import numpy as np
from gallery import LOSS, digits, mislabelled, show

import keras_dlbasic as kd


def measure(seed):
    x, y, test_x, test_y = digits(150, seed)
    y = mislabelled(y, 20, seed)
    found = {}
    for rate in (0.0, 0.5):
        keras.utils.set_random_seed(seed)
        layers = [keras.Input((64,))]
        for _ in range(2):
            layers.append(keras.layers.Dense(128, "relu"))
            if rate:
                layers.append(kd.layers.Dropout(rate))
        model = keras.Sequential([*layers, keras.layers.Dense(10)])
        model.compile(keras.optimizers.Adam(3e-3), LOSS)
        model.fit(x, y, epochs=40, verbose=0)
        losses = [model.evaluate(*d, verbose=0) for d in ((test_x, test_y), (x, y))]
        found[f"gap in loss at rate {rate:g}"] = losses[0] - losses[1]
    ones = np.ones((64, 64), "float32")
    drop = kd.layers.Dropout(0.5)
    for name, training in (("in training", True), ("at inference", False)):
        values = keras.ops.convert_to_numpy(drop(ones, training=training))
        found[f"share dropped {name}"] = float(np.mean(values == 0))
    return found


def holds(found):
    return (
        found["gap in loss at rate 0.5"] < found["gap in loss at rate 0"]
        and abs(found["share dropped in training"] - 0.5) < 0.05
        and found["share dropped at inference"] == 0
    )


def draw(found, ax):
    names = ["gap in loss at rate 0", "gap in loss at rate 0.5"]
    ax.bar(["no dropout", "dropout 0.5"], [found[name] for name in names])
    ax.set(title="150 digits for training", ylabel="validation minus training loss")


if __name__ == "__main__":
    show(measure, holds, draw)
