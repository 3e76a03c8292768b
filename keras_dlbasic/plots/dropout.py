"""Which units dropout keeps."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes

from keras_dlbasic._wrong_arguments import names_nearest
from keras_dlbasic.plots.axes import axes_or_new


@names_nearest
def plot_dropout(
    rate: float = 0.5,
    *,
    units: int = 24,
    steps: int = 6,
    seed: int = 0,
    ax: Axes | None = None,
) -> Axes:
    """Draw the factors by which dropout multiplies units in training and inference.

    In training a unit is dropped with probability `rate`, and the others are scaled by
    `1 / (1 - rate)`, so that the mean is unchanged. At inference all units are kept.

    Args:
        rate: Probability that a unit is dropped, from 0 to below 1. Defaults to 0.5.
        units: Number of units to draw. Defaults to 24.
        steps: Number of training steps to draw. Defaults to 6.
        seed: Seed of the dropout masks. Defaults to 0.
        ax: Axes to draw on. Defaults to None: a new figure.

    Returns:
        The axes.

    Raises:
        ValueError: If `rate` is not in [0, 1).

    Reference:
        Srivastava et al. (2014), Dropout.

    Example:
    >>> import keras_dlbasic as kd
    >>> ax = kd.plots.plot_dropout(0.3)
    """
    if not 0 <= rate < 1:
        raise ValueError(f"`rate` must be at least 0 and below 1. Received: {rate}")
    # What is kept is scaled up by 1 / (1 - rate), so a unit has the same mean in
    # training as at inference.
    kept = np.random.default_rng(seed).random((steps, units)) >= rate
    factors = np.vstack([kept / (1 - rate), np.ones(units)])
    top = max(2.0, 1 / (1 - rate))
    ax = axes_or_new(ax, figsize=(7.2, 3.2))
    mesh = ax.imshow(factors, aspect="auto", cmap="Blues", vmin=0, vmax=top)
    ax.axhline(steps - 0.5, color="black", lw=2)
    ax.grid(False)
    names = [f"training step {step + 1}" for step in range(steps)]
    ax.set_yticks(range(steps + 1), [*names, "inference"])
    ax.set_xlabel("unit")
    ax.set_title(
        f"Dropout of {rate:g}: dropped units are multiplied by 0, "
        f"others by {1 / (1 - rate):.3g}",
        fontsize="medium",
    )
    ax.figure.colorbar(mesh, ax=ax, label="factor", pad=0.02)
    return ax
