"""Numbers beside logarithmic axes do not touch each other."""

import itertools

import matplotlib.pyplot as plt
import numpy as np
import pytest

import keras_dlbasic as kd
from keras_dlbasic.plots.log_ticks import few_log_ticks


def gaps(ax):
    """Return the gaps between the numbers on the x axis, in pixels."""
    ax.figure.canvas.draw()
    labels = [*ax.get_xticklabels(), *ax.get_xticklabels(minor=True)]
    boxes = [label.get_window_extent() for label in labels if label.get_text()]
    left, right = ax.get_window_extent().intervalx
    boxes = sorted((b for b in boxes if left <= b.x0 <= right), key=lambda b: b.x0)
    return np.array([b.x0 - a.x1 for a, b in itertools.pairwise(boxes)])


def of_sizes(parameters):
    trials = [
        kd.records.TrialResult(
            {"size": size, "seed": seed},
            values={"val_error": 0.1, "train_error": 0.1, "parameters": n},
        )
        for size, n in enumerate(parameters, 1)
        for seed in (0, 1)
    ]
    return kd.analysis.CapacityResult(trials)


@pytest.mark.parametrize(
    "parameters", [(14, 90, 700), (160, 1200), (160, 910, 9610), (10, 1e4, 1e8)]
)
def test_the_numbers_of_a_capacity_plot(parameters):
    ax = kd.plots.plot_capacity(of_sizes(parameters))
    found = gaps(ax)
    assert len(found)
    assert found.min() > 2
    plt.close(ax.figure)


def test_a_short_axis_has_numbers_too():
    _, ax = plt.subplots()
    ax.set(xscale="log", xlim=(1.5, 4.5))
    few_log_ticks(ax.xaxis)
    assert len(gaps(ax)) >= 1
