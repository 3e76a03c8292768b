"""A6, A7, A8. L1 makes many weights nearly zero, L2 all small; too much underfits
===============================================================================
"""

import keras
import numpy as np
from gallery import LOSS, digits, show

import keras_dlbasic as kd

R = kd.regularizers
ARMS = {
    "none": lambda: None,
    "L1, 0.001": lambda: R.L1(1e-3),
    "L2, 0.01": lambda: R.L2(1e-2),
    "L2, 3": lambda: R.L2(3.0),
}


def measure(seed):
    x, y, *_ = digits(400, seed)
    found = {}
    for name, penalty in ARMS.items():
        keras.utils.set_random_seed(seed)
        dense = keras.layers.Dense(64, "relu", kernel_regularizer=penalty())
        out = keras.layers.Dense(10, kernel_regularizer=penalty())
        model = keras.Sequential([keras.Input((64,)), dense, out])
        model.compile(keras.optimizers.Adam(3e-3), LOSS, metrics=["accuracy"])
        model.fit(x, y, epochs=40, verbose=0)
        kernel = np.abs(keras.ops.convert_to_numpy(dense.kernel)).ravel()
        found[name] = kernel
        found[f"{name}: share below 0.001"] = np.mean(kernel < 1e-3)
        found[f"{name}: root mean square"] = np.sqrt(np.mean(kernel**2))
        found[f"{name}: accuracy in training"] = model.evaluate(x, y, verbose=0)[1]
    return found


def holds(found):
    zero = {name: found[f"{name}: share below 0.001"] for name in ARMS}
    size = {name: found[f"{name}: root mean square"] for name in ARMS}
    fits = {name: found[f"{name}: accuracy in training"] for name in ARMS}
    return (
        zero["L1, 0.001"] > 0.2 > 0.1 > zero["none"]
        and zero["L1, 0.001"] > 3 * zero["L2, 0.01"]
        and size["L2, 0.01"] < 0.9 * size["none"]
        and fits["L2, 3"] < 0.5 < 0.95 < fits["L2, 0.01"]
    )


def draw(found, ax):
    bins = np.geomspace(1e-6, 1, 50)
    for name in ARMS:
        ax.hist(np.maximum(found[name], 1e-6), bins, histtype="step", label=name, lw=2)
    ax.set_xscale("log")
    ax.set(title="Sizes of a kernel's weights", xlabel="|weight|", ylabel="weights")
    ax.legend()


if __name__ == "__main__":
    show(measure, holds, draw)
