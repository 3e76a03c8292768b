"""What is known of the spectrum of a Hessian."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from keras_dlbasic._display import Displayed, wrapped
from keras_dlbasic._wrong_arguments import names_nearest


@names_nearest
@dataclass(frozen=True, repr=False)
class HessianExtremes(Displayed):
    """Smallest and largest eigenvalue of the Hessian of a loss.

    Attributes:
        smallest: Estimate of the smallest eigenvalue.
        largest: Estimate of the largest eigenvalue.
        smallest_residual: Bound on the error of `smallest`: `|H v - smallest v|`, plus
            twice the change over the last quarter of the products, plus rounding error.
            If it is large, more products are needed.
        largest_residual: The same for `largest`.
        smallest_direction: Unit vector `v`, `[size]`, in the order of the trainable
            variables.
        largest_direction: The same for `largest`.
        values: All Ritz values, ascending.
        residuals: Their residuals.
        rounding: Bound on the rounding error of an eigenvalue, part of the residuals.
        products: Number of Hessian-vector products.
        converged: Whether both residuals are below the tolerance.
        exact: Whether the products are second derivatives; otherwise they are
            differences of gradients.

    Example:
    >>> import keras, numpy as np
    >>> import keras_dlbasic as kd
    >>> dense = keras.layers.Dense(1, use_bias=False)
    >>> model = keras.Sequential([keras.Input((2,)), dense])
    >>> model.compile(loss="mse")
    >>> x = np.array([[1.0, 0.0], [0.0, 2.0]])
    >>> found = kd.landscape.hessian_extremes(model, x, np.zeros((2, 1)))
    >>> found.converged, found.largest_direction.shape
    (True, (2,))
    """

    smallest: float
    largest: float
    smallest_residual: float
    largest_residual: float
    smallest_direction: np.ndarray
    largest_direction: np.ndarray
    values: np.ndarray
    residuals: np.ndarray
    rounding: float
    products: int
    converged: bool
    exact: bool = True

    @property
    def scale(self) -> float:
        """The largest absolute eigenvalue."""
        return max(abs(self.smallest), abs(self.largest))

    @property
    def n_negative(self) -> int:
        """Number of eigenvalues found that are below zero by more than their residual.

        This is a lower bound: others may not have been found.
        """
        return int(np.sum(self.values < -self.residuals))

    def __str__(self) -> str:
        text = (
            f"Eigenvalues of the Hessian from {self.smallest:.4g} "
            f"(+- {self.smallest_residual:.1g}) to {self.largest:.4g} "
            f"(+- {self.largest_residual:.1g}), by {self.products} products"
        )
        if not self.converged:
            bound = max(self.smallest_residual, self.largest_residual)
            if self.rounding > bound / 2:
                text += "; as precise as the dtype of the model allows"
            else:
                text += "; not converged: increase `max_products`"
        if not self.exact:
            text += "; by differences of gradients"
        return wrapped(f"{text}.")


@names_nearest
@dataclass(frozen=True, repr=False)
class HessianTrace(Displayed):
    """Estimate of the trace of a Hessian.

    Attributes:
        value: The mean over the probes.
        error: Its standard error.
        samples: `v^T H v` for each probe.
        size: Number of weights: `value / size` is the mean eigenvalue.

    Example:
    >>> import numpy as np
    >>> import keras_dlbasic as kd
    >>> print(kd.analysis.HessianTrace(4.0, 0.1, np.array([3.9, 4.1]), size=8))
    Trace of the Hessian 4 +- 0.1 (standard error, 2 probes); mean eigenvalue 0.5.
    """

    value: float
    error: float
    samples: np.ndarray
    size: int

    def __str__(self) -> str:
        return wrapped(
            f"Trace of the Hessian {self.value:.4g} +- {self.error:.1g} (standard "
            f"error, {len(self.samples)} probes); mean eigenvalue "
            f"{self.value / self.size:.3g}."
        )
