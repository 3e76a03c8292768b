"""Histograms of the sizes of weights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from keras_dlbasic._arguments import shown
from keras_dlbasic._wrong_arguments import names_nearest
from keras_dlbasic.plots.axes import axes_or_new

SMALLEST = 1e-6
"""Smaller sizes are counted in the first bin: a logarithmic axis has no zero."""

NEARLY_ZERO = 1e-3
"""Weights below this size count as nearly zero in the legend. At the start of training
most are about 0.1."""


@names_nearest
def plot_weights(models: Any, *, bins: int = 50, ax: Axes | None = None) -> Axes:
    """Draw histograms of absolute weights, for example with and without a regularizer.

    L1 makes many weights nearly zero, L2 makes all of them smaller. Biases and other
    vectors are left out.

    Args:
        models: A model, an array or a list of arrays of weights, or a dictionary from
            names to any of these.
        bins: Number of bins on the logarithmic axis. Defaults to 50.
        ax: Axes to draw on. Defaults to None: a new figure.

    Returns:
        The axes.

    Raises:
        ValueError: If there are no weights to draw.

    Reference:
        Tibshirani (1996), Regression shrinkage and selection via the lasso. Krogh &
        Hertz (1992), A simple weight decay can improve generalization.

    Example:
    >>> import numpy as np
    >>> import keras_dlbasic as kd
    >>> weights = np.random.default_rng(0).normal(size=(64, 32))
    >>> ax = kd.plots.plot_weights({"none": weights, "L2": 0.5 * weights})
    """
    if hasattr(models, "history") and not hasattr(models, "get_weights"):
        raise TypeError(
            "`models` must be a model, arrays of weights, or a dictionary of such. "
            f"Received: {shown(models)}, which has no weights."
        )
    named = dict(models) if isinstance(models, Mapping) else {"": models}
    sizes = {name: _sizes(model) for name, model in named.items()}
    empty = [name for name, values in sizes.items() if not values.size]
    if empty or not sizes:
        raise ValueError(
            "There must be weights to draw: a built model, or arrays. "
            f"Received none for: {empty or 'an empty dictionary'}"
        )
    ax = axes_or_new(ax)
    largest = max(float(values.max()) for values in sizes.values())
    edges = np.geomspace(SMALLEST, max(largest, 10 * SMALLEST) * 1.001, bins + 1)
    for name, values in sizes.items():
        share = np.mean(values < NEARLY_ZERO)
        words = f"{100 * share:.0f} % below {NEARLY_ZERO:g}"
        label = f"{name}: {words}" if name else words
        drawn = np.maximum(values, SMALLEST)
        ax.hist(drawn, edges.tolist(), histtype="step", lw=2, label=label)
    ax.set_xscale("log")
    ax.set(title="Sizes of weights", xlabel="|weight|", ylabel="number of weights")
    ax.legend()
    return ax


def _sizes(model: Any) -> np.ndarray:
    """Return absolute values of all weights that are matrices or more."""
    arrays = model.get_weights() if hasattr(model, "get_weights") else model
    arrays = list(arrays) if isinstance(arrays, (list, tuple)) else [arrays]
    sizes = [np.abs(np.asarray(a, np.float64)) for a in arrays]
    # Biases, scales and moving averages are vectors. A `kernel_regularizer` does not
    # act on them, and among the kernels they would hide what it does.
    kept = [a.ravel() for a in sizes if a.ndim > 1] or [np.zeros(0)]
    return np.concatenate(kept)
