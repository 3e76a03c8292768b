"""C3 to C6. Full-batch, mini-batch, single samples: fast updates are noisy
========================================================================

And a fast update is not fast convergence: what takes least time to an update need not
take least time to a loss.
"""

import keras
import numpy as np
from gallery import LOSS, digits, show

import keras_dlbasic as kd

SIZES = ("full", 32, 1)


def build():
    layers = [keras.layers.Dense(256, "relu"), keras.layers.Dense(10)]
    model = keras.Sequential([keras.Input((64,)), *layers])
    model.compile(keras.optimizers.SGD(0.02), LOSS)
    return model


def measure(seed):
    x, y, *_ = digits(1200, seed)
    options = {"batch_sizes": SIZES, "seeds": [seed], "budget": {"updates": 60}}
    result = kd.studies.BatchSizeStudy(build, x, y, verbose=0, **options).run()
    table = result.table()
    order = np.argsort(-table["batch_size"])
    return {
        "batch sizes": table["batch_size"][order],
        "seconds an update": table["seconds_per_update"][order],
        "cosine of successive gradients": table["gradient_cosine"][order],
    }


def holds(found):
    """Steadiness; times are for a quiet machine (benchmarks/batch_size.py)."""
    return bool(np.all(np.diff(found["cosine of successive gradients"]) < 0))


def draw(found, ax):
    figure = ax.figure
    ax.remove()
    speed, steadiness = figure.subplots(1, 2)
    names = ("full batch", "32 samples", "one sample")
    colors = ("tab:blue", "tab:orange", "tab:green")
    rates = 1 / found["seconds an update"]
    bars = speed.bar(names, rates, color=colors)
    speed.bar_label(bars, fmt="{:.0f}")
    speed.set(title="Small batches: fast updates", ylabel="updates a second")
    cosines = found["cosine of successive gradients"]
    bars = steadiness.bar(names, cosines, color=colors)
    steadiness.bar_label(bars, fmt="{:.2f}")
    steadiness.set_title("Small batches: unsteady updates")
    steadiness.set_ylabel("cosine of successive gradients")


if __name__ == "__main__":
    show(measure, holds, draw)
