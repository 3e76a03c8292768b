"""Signals that are far larger behind the last layers than behind the first."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from keras_dlbasic.diagnosis.run import Run

STEP = 2.0
"""Factor from one layer to the next from which signals grow there."""

LAYERS = 3

LARGE = 2.5
"""Gain of a kernel from which the growth may be due to it; He's law gives 1.41."""

FAR_OFF = 5.0
"""First loss, in losses of a constant prediction, that large signals make."""


@dataclass(frozen=True)
class DepthGrowth:
    """How signals have grown over the depth, before training or at the first look.

    Attributes:
        first: Label of the first layer of the growth; empty for the inputs.
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


def growth_from_inputs(run: Run) -> DepthGrowth | None:
    """Return the growth from the inputs through all hidden layers, in a shallow model.

    Few layers say less than many, so what the outputs are then must be as far off: the
    loss before training is several times that of a constant prediction.

    Args:
        run: The run.

    Returns:
        None where a layer makes signals less than twice as large, the first loss is
        usual, there are fewer than two hidden layers, or that was not looked at.
    """
    table, probe = run.record.tables.get("activations"), run.record.tables.get("probe")
    if any(t is None or not len(t) or t.epochs[0] >= 0 for t in (table, probe)):
        return None
    assert table is not None
    assert probe is not None
    baseline = run.outcome.baseline
    if baseline is None or not probe["loss"][0, 0] >= FAR_OFF * baseline > 0:
        return None
    kernels = [facts for facts in run.layers if facts.has_kernel]
    if any(facts.gain > LARGE and not facts.looks_up for facts in kernels):
        return None  # the weights did it
    given = [f.rms for f in run.facts.inputs if not (f.is_integer or f.is_ids)]
    places = run.hidden(table.labels)
    if not given or len(places) < 2:
        return None
    sizes = np.sqrt(table["variance"][0] + table["mean"][0] ** 2)[places]
    sizes = np.append(max(given), sizes)
    if not (sizes[1:] >= STEP * sizes[:-1]).all() or not sizes[0] > 0:
        return None
    last = table.labels[places[-1]]
    return DepthGrowth("", last, float(sizes[0]), float(sizes[-1]))
