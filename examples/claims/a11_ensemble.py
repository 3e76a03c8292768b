"""A11. An ensemble has a lower error than its members on average
==============================================================
"""

import keras
import numpy as np
from gallery import digits, show, stack
from matplotlib.ticker import PercentFormatter

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
    colors = ["tab:gray"] * len(errors) + ["tab:blue"]
    ensemble = found["error of the ensemble"]
    bars = ax.bar([*names, "ensemble"], [*errors, ensemble], color=colors)
    ax.bar_label(bars, fmt="{:.1%}", label_type="center", color="white")
    mean = found["mean error of the members"]
    ax.axhline(mean, color="black", ls="--", label=f"mean of the members, {mean:.1%}")
    ax.set_ylim(top=1.18 * max(errors))  # room for the legend
    ax.legend(loc="upper left")
    ax.set(
        title=f"Five networks: {mean:.1%} wrong on average, {ensemble:.1%} together",
        ylabel="share of unseen digits that are wrong",
    )
    ax.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))


if __name__ == "__main__":
    show(measure, holds, draw)
