"""A1. Long training on few digits raises the validation error; the detector reports it
====================================================================================
"""

import keras
import numpy as np
from gallery import digits, mislabelled, show, stack

import keras_dlbasic as kd


def measure(seed):
    x, y, test_x, test_y = digits(150, seed)
    y = mislabelled(y, 20, seed)
    keras.utils.set_random_seed(seed)
    model = stack(2, 128, "relu", kd.initializers.HeNormal)
    detector = kd.callbacks.OverfittingDetector(x, y, verbose=0)
    validation = {"validation_data": (test_x, test_y), "callbacks": [detector]}
    history = model.fit(x, y, epochs=60, verbose=0, **validation).history
    values, onset = np.array(history["val_loss"]), detector.verdict.onset
    return {
        "found from epoch": np.nan if onset is None else onset + 1,
        "validation loss there": np.nan if onset is None else values[onset],
        "lowest validation loss": values.min(),
        "last validation loss": values[-1],
        "last training loss": history["loss"][-1],
        "record": detector.record,
    }


def holds(found):
    lowest, last = found["lowest validation loss"], found["last validation loss"]
    return (
        found["last training loss"] < 0.1 * lowest
        and last > 1.2 * lowest
        and found["validation loss there"] < lowest + 0.3 * (last - lowest)
    )


def draw(found, ax):
    kd.plots.plot_history(found["record"], ax=[ax], metrics=["loss"])


if __name__ == "__main__":
    show(measure, holds, draw)
