"""C2. At a saddle the gradient is zero: the full batch stays, noisy steps leave
=============================================================================
"""

import keras
import numpy as np
from gallery import show

import keras_dlbasic as kd


def measure(seed):
    found = {}
    for name, batch_size, epochs in (("full batch", 256, 40), ("16 samples", 16, 3)):
        keras.utils.set_random_seed(seed)
        model, x, y = kd.landscape.teaching_surface("saddle")
        model.fit(x, y, batch_size=256, epochs=40, verbose=0)
        model.fit(x, y, batch_size=batch_size, epochs=epochs, verbose=0)
        found[name] = abs(float(model.get_weights()[0][1]))
        if name == "full batch":
            point = kd.landscape.classify_point(model, x, y)
            found["smallest curvature there"] = point.evidence.smallest
            found["largest curvature there"] = point.evidence.largest
            found["it is called"] = point.verdict
    return found


def holds(found):
    return (
        found["full batch"] < 1e-6
        and found["16 samples"] > 0.1
        and found["it is called"] == "saddle"
        and found["smallest curvature there"] < 0 < found["largest curvature there"]
    )


def draw(found, ax):
    names = ("full batch", "16 samples")
    ax.bar(names, [max(found[name], 1e-9) for name in names])
    ax.set_yscale("log", nonpositive="clip")
    ax.set_ylim(1e-9, 10 * np.maximum(1, found["16 samples"]))
    ax.set(title="After training on a saddle", ylabel="distance from the ridge")


if __name__ == "__main__":
    show(measure, holds, draw)
