"""Numbers beside logarithmic axes."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axis import Axis
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

MAX_TICKS = 8
"""With more, numbers touch each other in a panel of the usual size."""


def few_log_ticks(axis: Axis) -> None:
    """Give a logarithmic axis few numbers beside the powers of ten.

    Within one power of ten matplotlib would label all of 2, 3, ..., 9, which overlap in
    small panels.

    Args:
        axis: The axis, of logarithmic scale.
    """
    axis.set_major_locator(_FewTicks(subs=(1, 2, 5), numticks=MAX_TICKS))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_formatter(NullFormatter())


class _FewTicks(LogLocator):
    """Ticks at 1, 2 and 5 times the powers of ten; over long ranges at powers only."""

    def tick_values(self, vmin: float, vmax: float) -> Any:
        # Where not every power has a tick, matplotlib gives none to their multiples,
        # and with several multiples none at all.
        found: Any = super().tick_values(vmin, vmax)
        n_seen = np.sum((found >= vmin) & (found <= vmax))
        is_fit = 0 < n_seen <= MAX_TICKS
        return found if is_fit else LogLocator().tick_values(vmin, vmax)
