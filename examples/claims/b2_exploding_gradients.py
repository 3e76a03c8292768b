"""B2. With weights 2.8 times too large, gradients grow per layer until they overflow
==================================================================================
"""

import keras
from gallery import LOSS, digits, show, stack

import keras_dlbasic as kd


def measure(seed):
    x, y, *_ = digits(256, seed)
    keras.utils.set_random_seed(seed)
    model = stack(10, 64, "relu", lambda: kd.initializers.HeNormal(gain=2.8))
    model.compile(keras.optimizers.SGD(1e-4), LOSS)
    monitor = kd.callbacks.GradientNormMonitor(every=1, stop_on_non_finite=True)
    model.fit(x, y, batch_size=64, epochs=5, verbose=0, callbacks=[monitor])
    record = monitor.record
    return {
        "gradient norm at the first step": record.global_gradient_norm[0],
        "loss at the first step": record.batch_loss[0],
        "steps until the first NaN or infinity": record.steps[-1] + 1,
        "non-finite entries at the last step": record.non_finite[-1].sum(),
        "record": record,
    }


def holds(found):
    return (
        found["gradient norm at the first step"] > 100
        and found["non-finite entries at the last step"] > 0
    )


def draw(found, ax):
    kd.plots.plot_gradient_norm(found["record"], ax=ax)
    steps = found["steps until the first NaN or infinity"]
    ax.set_title(f"Weights 2.8 times too large: gradients overflow after {steps} steps")


if __name__ == "__main__":
    show(measure, holds, draw)
