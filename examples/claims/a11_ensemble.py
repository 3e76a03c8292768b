"""A11. An ensemble errs less on unseen digits than its members do by themselves
=============================================================================
"""

import keras
import numpy as np
from gallery import digits, show, stack

import keras_dlbasic as kd


def measure(seed):
    x, y, test_x, test_y = digits(150, seed)
    models, errors = [], []
    for member in range(5):
        keras.utils.set_random_seed(100 * seed + member)
        model = stack(2, 64, "relu", kd.initializers.HeNormal)
        model.fit(x, y, epochs=25, verbose=0)
        models.append(model)
        errors.append(_error(model, test_x, test_y))
    ensemble = kd.ensembles.Ensemble(models)
    return {
        "errors of the members": np.array(errors),
        "mean error of the members": np.mean(errors),
        "error of the ensemble": _error(ensemble, test_x, test_y),
    }


def _error(model, x, y):
    return float(np.mean(model.predict(x, verbose=0).argmax(axis=1) != y))


def holds(found):
    return found["error of the ensemble"] < found["mean error of the members"]


def draw(found, ax):
    errors = found["errors of the members"]
    names = [f"member {number + 1}" for number in range(len(errors))]
    ax.bar([*names, "ensemble"], [*errors, found["error of the ensemble"]])
    ax.set(title="150 digits for training", ylabel="share wrong of unseen ones")


if __name__ == "__main__":
    show(measure, holds, draw)
