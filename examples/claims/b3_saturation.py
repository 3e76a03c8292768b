"""B3. Large inputs saturate sigmoid and tanh units; leaky ReLU keeps a slope
==========================================================================
"""

import keras
import numpy as np
from gallery import digits, show, stack
from matplotlib.ticker import PercentFormatter

import keras_dlbasic as kd

ACTIVATIONS = ("sigmoid", "tanh", "leaky_relu")


def measure(seed):
    x, y, *_ = digits(256, seed)
    found = {}
    for activation in ACTIVATIONS:
        keras.utils.set_random_seed(seed)
        model = stack(2, 64, activation, kd.initializers.XavierNormal)
        probe = kd.callbacks.ActivationMonitor(50 * x)
        model.fit(50 * x, y, epochs=1, verbose=0, callbacks=[probe])
        table = probe.record.tables["activations"]
        found[activation] = float(np.nan_to_num(table["saturated_share"][0, 0]))
    return found


def holds(found):
    return min(found["sigmoid"], found["tanh"]) > 0.7 and found["leaky_relu"] == 0


def draw(found, ax):
    bars = ax.bar(list(found), list(found.values()))
    ax.bar_label(bars, fmt="{:.0%}")
    ax.set(
        title="With inputs 50 times too large, sigmoid and tanh units saturate",
        xlabel="activation of the hidden layers",
        ylabel="share of outputs where the slope is nearly 0",
        ylim=(0, 1.08),
    )
    ax.yaxis.set_major_formatter(PercentFormatter(1))


if __name__ == "__main__":
    show(measure, holds, draw)
