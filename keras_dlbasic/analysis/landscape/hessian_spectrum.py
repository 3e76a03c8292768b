"""What is known of the spectrum of a Hessian."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from keras_dlbasic._display import Displayed, wrapped


@dataclass(frozen=True, repr=False)
class HessianExtremes(Displayed):
    """Smallest and largest eigenvalue of the Hessian of a loss.

    Attributes:
        smallest: The smallest eigenvalue, as far as it was found.
        largest: The largest.
        smallest_residual: Bound of the error of `smallest`: `|H v - smallest v|`, plus
            twice what the last quarter of the products changed, plus what rounding may
            do. Where it is large, more products are needed.
        largest_residual: The same for `largest`.
        smallest_direction: Unit vector `v`, `[size]`, in the order of the trainable
            variables.
        largest_direction: The same for `largest`.
        values: All Ritz values, ascending.
        residuals: Their residuals.
        rounding: What rounding may do to an eigenvalue, part of the residuals.
        products: Products of the Hessian that were taken.
        converged: Whether both residuals are below the tolerance.
        exact: Whether the products are second derivatives; else they are differences
            of gradients.
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
        """How many negative directions were seen, each beyond its residual.

        Those that were not seen are not counted: there are at least this many.
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
                text += "; known as well as the model's precision allows"
            else:
                text += "; not converged, `max_products=` more would narrow it"
        if not self.exact:
            text += "; by differences of gradients"
        return wrapped(f"{text}.")


@dataclass(frozen=True, repr=False)
class HessianTrace(Displayed):
    """Estimate of the trace of a Hessian.

    Attributes:
        value: The mean over the probes.
        error: Its standard error.
        samples: `v^T H v` for each probe.
        size: Number of weights: `value / size` is the mean eigenvalue.
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
