"""Axes along which the layers of a network stand."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes

from keras_dlbasic.analysis.evenly import evenly
from keras_dlbasic.plots.axes import MOST_LINES, short


def label_layers(ax: Axes, labels: Sequence[str]) -> None:
    """Write the labels of layers at 0, 1, ... on the x axis; of many, about ten."""
    places = np.arange(len(labels))
    shown = places.tolist()
    if len(places) > MOST_LINES:
        tenths = evenly(len(places), 10)
        shown = np.unique(tenths).tolist()
    rotation = 0 if len(places) <= 4 else 35
    ax.set_xticks(
        shown,
        [short(labels[place]) for place in shown],
        rotation=rotation,
        ha="center" if rotation == 0 else "right",
        fontsize=8,
    )
    ax.set_xlabel("layer, input first")
