"""B5, B6, B7. Over 50 layers, Xavier suits tanh and He suits ReLU
===============================================================
"""

import keras
import numpy as np
from gallery import digits, show, stack

import keras_dlbasic as kd

ARMS = {
    "tanh, Xavier": ("tanh", kd.initializers.XavierNormal),
    "ReLU, Xavier": ("relu", kd.initializers.XavierNormal),
    "ReLU, He": ("relu", kd.initializers.HeNormal),
}


def measure(seed):
    x, y, *_ = digits(128, seed)
    found = {}
    for name, (activation, law) in ARMS.items():
        keras.utils.set_random_seed(seed)
        report = kd.propagation_report(stack(50, 256, activation, law), x, y)
        found[name] = np.array(
            [layer.preactivation_variance for layer in report.layers[:50]]
        )
        found[f"{name}: layer 50 over layer 1"] = found[name][-1] / found[name][0]
    return found


def holds(found):
    tanh, xavier, he = (found[f"{name}: layer 50 over layer 1"] for name in ARMS)
    return 1e-3 < tanh < 1 and xavier < 1e-12 and 0.05 < he < 20


def draw(found, ax):
    for name in ARMS:
        ax.semilogy(range(1, 51), found[name], label=name)
    ax.set(title="Variance of the signal by depth", xlabel="layer", ylabel="variance")
    ax.legend()


if __name__ == "__main__":
    show(measure, holds, draw)
