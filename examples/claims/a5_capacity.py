"""A5. More parameters widen the gap: a large network memorizes wrong labels
=========================================================================

Too simple in the texts: a wider gap need not mean more errors. The smallest net has no
gap, and errs most.
"""

import keras
import numpy as np
from gallery import digits, mislabelled, show, stack
from matplotlib.ticker import PercentFormatter

import keras_dlbasic as kd

WIDTHS = (2, 12, 128)


def measure(seed):
    x, y, test_x, test_y = digits(200, seed)
    y = mislabelled(y, 20, seed)
    rows = []
    for width in WIDTHS:
        keras.utils.set_random_seed(seed)
        model = stack(1, width, "relu", kd.initializers.HeNormal)
        model.fit(x, y, batch_size=40, epochs=60, verbose=0)
        loss, right = model.evaluate(x, y, verbose=0)
        test_loss, test_right = model.evaluate(test_x, test_y, verbose=0)
        size = kd.capacity_report(model, x).parameters
        rows.append((size, test_loss - loss, 1 - right, 1 - test_right))
    names = ("parameters", "gap in loss", "errors in training", "errors on unseen")
    return dict(zip(names, np.array(rows).T, strict=True))


def holds(found):
    gap, training, unseen = list(found.values())[1:]
    return (
        gap[0] == gap.min()
        and gap[-1] > 2 * gap[0]
        and training[-1] < 0.02  # the wrong labels too
        and training[0] > 0.1
        and unseen[-1] < unseen[0]
    )


def draw(found, ax):
    figure = ax.figure
    ax.remove()
    gap, errors = figure.subplots(1, 2)
    sizes = found["parameters"]
    gap.plot(sizes, found["gap in loss"], marker="o", color="black")
    gap.set(title="Larger networks: a wider gap")
    gap.set_ylabel("validation loss minus training loss")
    for name, label, color in (
        ("errors in training", "in training, 10 % wrong labels", "tab:orange"),
        ("errors on unseen", "on unseen digits", "tab:blue"),
    ):
        errors.plot(sizes, found[name], marker="o", label=label, color=color)
    errors.set(title="Wrong labels are memorized", ylabel="share wrong")
    errors.yaxis.set_major_formatter(PercentFormatter(1))
    errors.legend(loc="upper right")
    for panel in (gap, errors):
        panel.set_xscale("log")
        panel.set_xticks(sizes, [f"{size:.0f}" for size in sizes])
        panel.minorticks_off()
        panel.set_xlabel("parameters")
        panel.title.set_fontsize(10)


if __name__ == "__main__":
    show(measure, holds, draw)
