"""Means over seeds with their intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes

from keras_dlbasic.analysis import Interval

MEASURES = ("error", "loss")


def draw_intervals(
    ax: Axes, places: Sequence[float], intervals: Sequence[Interval], **style: Any
) -> None:
    """Draw a point with its interval at each place; infinite ends are left out.

    Args:
        ax: Where to draw.
        places: `x` of each point.
        intervals: Its mean and ends.
        **style: As for `Axes.errorbar`.
    """
    ends = [
        [end if np.isfinite(end) else 0.0 for end in side]
        for side in (
            [i.mean - i.low for i in intervals],
            [i.high - i.mean for i in intervals],
        )
    ]
    means = [interval.mean for interval in intervals]
    ax.errorbar(places, means, yerr=ends, capsize=2.5, **style)


def check_measure(measure: object) -> None:
    """Refuse what is neither error nor loss.

    Raises:
        ValueError: If `measure` is something else.
    """
    if measure not in MEASURES:
        raise ValueError(
            f'`measure` must be "error" or "loss". Received: measure={measure!r}'
        )


def draw_training_and_held_out(
    ax: Axes, result: Any, measure: str, places: Mapping[Any, float], *, line: str
) -> None:
    """Draw training and held-out means with their intervals.

    Args:
        ax: Where to draw.
        result: A result whose `intervals(name)` gives intervals by size.
        measure: `"error"` or `"loss"`.
        places: `x` of each size.
        line: Style of the line between the held-out points, empty for none.
    """
    colors = plt.rcParams["axes.prop_cycle"].by_key()["color"]
    for name, label, color, filled in (
        (f"train_{measure}", "training", colors[1], False),
        (f"val_{measure}", "held-out", colors[0], True),
    ):
        found = {s: i for s, i in result.intervals(name).items() if i.n}
        draw_intervals(
            ax,
            [places[size] for size in found],
            list(found.values()),
            fmt=f"o{line}" if filled else "o:",
            color=color,
            mfc=color if filled else "none",
            label=label,
        )
