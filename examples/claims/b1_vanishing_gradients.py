"""B1, B7. Gradients vanish in stacks of sigmoid layers, not with ReLU and He
==========================================================================
"""

import keras
from gallery import digits, show, stack

import keras_dlbasic as kd

ARMS = {
    "sigmoid, Xavier": ("sigmoid", kd.initializers.XavierUniform),
    "ReLU, He": ("relu", kd.initializers.HeNormal),
}


def measure(seed):
    x, y, *_ = digits(256, seed)
    found = {}
    for name, (activation, law) in ARMS.items():
        keras.utils.set_random_seed(seed)
        model = stack(10, 32, activation, law)
        monitor = kd.callbacks.GradientNormMonitor(every=1)
        model.fit(x, y, batch_size=64, epochs=1, verbose=0, callbacks=[monitor])
        norms = monitor.record.by_layer("gradient_norm")[0]
        found[f"{name}: first over last layer"] = norms[0] / norms[-1]
        found[name] = norms
    return found


def holds(found):
    sigmoid, relu = (found[f"{name}: first over last layer"] for name in ARMS)
    return sigmoid < 1e-4 and relu > 1e-2


def draw(found, ax):
    for name in ARMS:
        ax.semilogy(range(1, 12), found[name], marker="o", label=name)
    ax.set(title="Gradient norm by layer, first step", xlabel="layer, input first")
    ax.set_ylabel("gradient norm (L2)")
    ax.legend()


if __name__ == "__main__":
    show(measure, holds, draw)
