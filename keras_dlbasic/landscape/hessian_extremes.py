"""Smallest and largest curvature of the loss."""

from __future__ import annotations

from typing import Any

import numpy as np

from keras_dlbasic._wrong_arguments import names_nearest
from keras_dlbasic.analysis.landscape.hessian_spectrum import HessianExtremes
from keras_dlbasic.analysis.landscape.lanczos import RitzPairs, lanczos
from keras_dlbasic.landscape.objective import Objective, objective_of

ROUNDINGS = 32
"""An eigenvalue may be off by this many rounding units of the largest one.

Rounding errors of the products add up over layers and rows; see the tests, where dense
Hessians in float64 are the reference.
"""


@names_nearest
def hessian_extremes(
    model: Any,
    x: Any = None,
    y: Any = None,
    *,
    max_products: int = 40,
    tolerance: float = 1e-3,
    seed: int = 0,
    **options: Any,
) -> HessianExtremes:
    """Find the smallest and the largest eigenvalue of the Hessian of the loss.

    Uses Lanczos iteration with full re-orthogonalization in float64, with
    Hessian-vector products by the backend. Unlike power iteration it finds both ends of
    the spectrum at once, even if the negative end is much smaller. A product takes as
    long as two to three gradients, so the default takes about as long as 90 gradients
    of the data set. Large residuals mean that more products are needed.

    Args:
        model: A built and compiled Keras model, or an `Objective`.
        x: Inputs: an array or a structure of arrays.
        y: Targets, likewise.
        max_products: Maximum number of Hessian-vector products.
        tolerance: `.converged` requires errors below this share of the largest absolute
            eigenvalue. The iteration continues beyond that, because a small negative
            eigenvalue is found last. It stops early if only rounding errors remain.
        seed: Seed of the first vector.
        **options: `sample_weight`, `micro_batch` and `training`, see `Objective`.

    Returns:
        `HessianExtremes`.

    Raises:
        ValueError: See `Objective`; or if loss or products are not finite.

    Example:
    >>> import keras, numpy as np
    >>> import keras_dlbasic as kd
    >>> dense = keras.layers.Dense(1, use_bias=False)
    >>> model = keras.Sequential([keras.Input((2,)), dense])
    >>> model.compile(loss="mse")
    >>> x = np.array([[1.0, 0.0], [0.0, 2.0]])
    >>> found = kd.landscape.hessian_extremes(model, x, np.zeros((2, 1)))
    >>> round(found.smallest, 4), round(found.largest, 4)  # of x^T x
    (1.0, 4.0)
    """
    if max_products < 2 or not 0 < tolerance < 1:
        raise ValueError(
            "`max_products` must be at least 2 and `tolerance` between 0 and 1. "
            f"Received: max_products={max_products!r}, tolerance={tolerance!r}"
        )
    objective = objective_of(model, x, y, **options)
    start = np.random.default_rng(seed).standard_normal(objective.size)
    pairs = lanczos(
        objective.product,
        start,
        max_products=max_products,
        tolerance=4 * objective.epsilon,
    )
    return extremes_of(pairs, objective, tolerance)


def extremes_of(
    pairs: RitzPairs, objective: Objective, tolerance: float
) -> HessianExtremes:
    """Return what Ritz pairs say of both ends."""
    scale = float(np.abs(pairs.values).max())
    # differences: the gradient's rounding over the step, see `Objective`
    unit = objective.epsilon if objective.is_exact else objective.epsilon ** (2 / 3)
    rounding = pairs.asymmetry + ROUNDINGS * unit * scale
    residuals = pairs.residuals + rounding
    residuals[[0, -1]] += pairs.drift
    return HessianExtremes(
        smallest=float(pairs.values[0]),
        largest=float(pairs.values[-1]),
        smallest_residual=float(residuals[0]),
        largest_residual=float(residuals[-1]),
        smallest_direction=pairs.vector(0),
        largest_direction=pairs.vector(-1),
        values=pairs.values,
        residuals=residuals,
        rounding=rounding,
        products=pairs.products,
        converged=bool(max(residuals[0], residuals[-1]) <= tolerance * scale),
        exact=objective.is_exact,
    )
