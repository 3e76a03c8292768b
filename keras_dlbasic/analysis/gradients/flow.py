"""The size of gradients along the depth of a network."""

from __future__ import annotations

import numpy as np

from keras_dlbasic._wrong_arguments import names_nearest


@names_nearest
def gradient_flow(gradient_norm: np.ndarray, weight_norm: np.ndarray) -> np.ndarray:
    """Return the gradient relative to the weights.

    The relative gradient has no unit of its own: layers of different width and scale
    can be compared.

    Args:
        gradient_norm: Norms of gradients, any shape.
        weight_norm: Norms of the weights at the same places.

    Returns:
        `gradient_norm / weight_norm`; NaN where the weights are zero or
        not finite.

    Example:
    >>> import numpy as np
    >>> from keras_dlbasic.analysis import gradient_flow
    >>> gradient_flow(np.array([0.5, 1.0]), np.array([10.0, 0.0]))
    array([0.05,  nan])
    """
    gradient = np.asarray(gradient_norm, np.float64)
    weight = np.asarray(weight_norm, np.float64)
    usable = (weight > 0) & np.isfinite(weight)
    return np.where(usable, gradient / np.where(usable, weight, 1.0), np.nan)
