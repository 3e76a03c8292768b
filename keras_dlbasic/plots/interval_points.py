"""Means over seeds with their intervals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from keras_dlbasic.analysis import Interval


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
