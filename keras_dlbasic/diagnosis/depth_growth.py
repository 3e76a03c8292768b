"""Signals that are far larger behind the last layers than behind the first."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from keras_dlbasic.diagnosis.run import Run

STEP = 2.0
"""Factor from one layer to the next from which signals grow there."""

LAYERS = 3


@dataclass(frozen=True)
class DepthGrowth:
    """How signals have grown over the depth, before training or at the first look.

    Attributes:
        first: Label of the first layer of the growth.
        last: Label of the last.
        small: Root mean square of the outputs of the first.
        large: The same of the last.
    """

    first: str
    last: str
    small: float
    large: float

    @property
    def factor(self) -> float:
        """By which factor they have grown."""
        return self.large / self.small


def depth_growth(run: Run) -> DepthGrowth | None:
    """Return the longest growth over layers that follow each other.

    Args:
        run: The run.

    Returns:
        None where signals grow by less than a factor of 2 a layer, or over fewer than
        four layers. Layers that give an output are left out: theirs is the scale of the
        targets.
    """
    table = run.record.tables.get("activations")
    if table is None or not len(table):
        return None
    places = run.hidden(table.labels)
    sizes = np.sqrt(table["variance"][0] + table["mean"][0] ** 2)[places]
    labels = [table.labels[place] for place in places]
    best: DepthGrowth | None = None
    begin = 0
    for at in range(1, len(sizes) + 1):
        if at < len(sizes) and sizes[at] >= STEP * sizes[at - 1] > 0:
            continue
        if at - 1 - begin >= LAYERS:
            ends = float(sizes[begin]), float(sizes[at - 1])
            found = DepthGrowth(labels[begin], labels[at - 1], *ends)
            if best is None or found.factor > best.factor:
                best = found
        begin = at
    return best
