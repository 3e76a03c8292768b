"""A2, A3. Outliers distort a model; more data reduce their weight and the error
=============================================================================
"""

import keras
import numpy as np
from gallery import digits, mislabelled, show, stack
from matplotlib.ticker import PercentFormatter

import keras_dlbasic as kd

SIZES = (100, 300, 1200)


def measure(seed):
    found = {}
    for name, share in (("right labels", 0.0), ("one in five wrong", 0.2)):
        errors = []
        for size in SIZES:
            x, y, test_x, test_y = digits(size, seed)
            y = mislabelled(y, int(share * size), seed)
            keras.utils.set_random_seed(seed)
            model = stack(1, 64, "relu", kd.initializers.HeNormal)
            # the same number of updates for each size
            model.fit(x, y, batch_size=50, epochs=24 * 1200 // size // 4, verbose=0)
            answers = model.predict(test_x, verbose=0).argmax(axis=1)
            errors.append(float(np.mean(answers != test_y)))
        found[name] = np.array(errors)
    return found


def holds(found):
    right, wrong = found.values()
    fall = np.all(np.diff(right) < 0) and np.all(np.diff(wrong) < 0)
    return bool(fall and np.all(wrong > right))


def draw(found, ax):
    for name, errors in found.items():
        ax.plot(SIZES, errors, marker="o", label=name)
    ax.set_xscale("log")
    ax.set_xticks(SIZES, [f"{size}" for size in SIZES])
    ax.minorticks_off()
    ax.set_title("More data lower the error, also where labels are wrong")
    ax.set_xlabel("digits for training")
    ax.set_ylabel("share of unseen digits that are wrong")
    ax.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    ax.legend()


if __name__ == "__main__":
    show(measure, holds, draw)
