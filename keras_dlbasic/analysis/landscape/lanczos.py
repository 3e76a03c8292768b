"""Both ends of the spectrum of a symmetric matrix that is known by its products."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

Product = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class RitzPairs:
    """Approximate eigenvalues and eigenvectors from a Krylov space.

    Attributes:
        values: Ritz values, ascending, `[k]`.
        residuals: `|A v - value v|` for each, `[k]`, from the products as they were
            computed, rounding included: that far, at most, is an eigenvalue of `A`.
        asymmetry: How far the products were from those of a symmetric matrix: what
            rounding does to them.
        products: How many products were taken.
        drift: Twice what the last quarter of the products moved the smallest and the
            largest value; zero where it ended because both were found.
        exhausted: Whether the Krylov space ended: no further product could add to it.
    """

    values: np.ndarray
    residuals: np.ndarray
    asymmetry: float
    products: int
    drift: tuple[float, float]
    exhausted: bool
    _basis: np.ndarray
    _coefficients: np.ndarray

    def vector(self, place: int) -> np.ndarray:
        """Return the unit vector of a Ritz value."""
        found: np.ndarray = self._coefficients[:, place] @ self._basis
        return found / np.linalg.norm(found)


def lanczos(
    product: Product,
    start: np.ndarray,
    *,
    max_products: int = 40,
    tolerance: float = 1e-9,
) -> RitzPairs:
    """Find both ends of the spectrum of a symmetric matrix.

    Lanczos iteration in float64 with full re-orthogonalization, twice where needed. All
    of its coefficients are kept, so that the residuals hold for products with rounding
    errors, too.

    Args:
        product: Returns the matrix times a vector.
        start: First vector, `[n]`. What is orthogonal to it and to all that the matrix
            makes of it is not found: take a random one.
        max_products: Most products.
        tolerance: It ends when the residuals of both ends are below this share of the
            largest absolute value. A residual tells how far *an* eigenvalue is, in the
            midst of many not the outermost one, and what is small beside the largest
            is found last: be strict.

    Returns:
        `RitzPairs`.

    Raises:
        ValueError: If `start` is zero, or a product is not finite.

    Reference:
        Parlett (1998), The Symmetric Eigenvalue Problem, chapter 13.

    Example:
    >>> import numpy as np
    >>> from keras_dlbasic.analysis.landscape.lanczos import lanczos
    >>> found = lanczos(lambda v: np.array([-1.0, 0.0, 3.0]) * v, np.ones(3))
    >>> found.values[[0, -1]].round(6)
    array([-1.,  3.])
    """
    start = np.asarray(start, np.float64)
    size, length = len(start), float(np.linalg.norm(start))
    if not np.isfinite(length) or length == 0:
        raise ValueError("`start` must be finite and not zero.")
    most = min(int(max_products), size)
    # The basis has a row as long as all weights for each product. It grows as it is
    # needed, since most searches end early.
    basis = np.zeros((min(most, 8), size))
    basis[0] = start / length
    projected = np.zeros((most, most))
    for k in range(most):
        image = np.asarray(product(basis[k]), np.float64)
        if not np.isfinite(image).all():
            raise ValueError("A product of the Hessian is not finite (NaN or infinity)")
        scale = float(np.linalg.norm(image))
        before, rest = scale, scale
        # In exact arithmetic the image would have parts along the last two vectors
        # only. Rounding brings the others back, and with them copies of eigenvalues
        # that are found already, so that all are taken out; once more where the first
        # time canceled most of it.
        for _ in range(2):
            overlap = basis[: k + 1] @ image
            image = image - overlap @ basis[: k + 1]
            projected[: k + 1, k] += overlap
            before, rest = rest, float(np.linalg.norm(image))
            if rest > 0.1 * before:  # else what is left is rounding in good part
                break
        matrix = projected[: k + 1, : k + 1]
        values, coefficients = np.linalg.eigh((matrix + matrix.T) / 2)
        inside = np.linalg.norm(matrix @ coefficients - coefficients * values, axis=0)
        # What a Ritz vector loses to outside of the space shows in its last
        # coefficient. Products that are not quite symmetric leave something inside as
        # well.
        residuals = np.hypot(inside, rest * coefficients[-1])
        largest = float(np.abs(values).max())
        exhausted = rest <= 1e-12 * max(scale, largest) or k + 1 == size
        is_found = max(residuals[0], residuals[-1]) <= tolerance * largest and k > 0
        if exhausted or is_found or k + 1 == most:
            break
        if k + 1 == len(basis):
            basis = np.concatenate(
                [basis, np.zeros((min(len(basis), most - len(basis)), size))]
            )
        basis[k + 1] = image / rest
        projected[k + 1, k] = rest
    asymmetry = float(np.linalg.norm(matrix - matrix.T, 2)) / 2
    return RitzPairs(
        values,
        residuals,
        asymmetry,
        k + 1,
        (0.0, 0.0) if exhausted or is_found else _drift(matrix, values),
        exhausted,
        basis[: k + 1].copy(),
        coefficients,
    )


def _drift(matrix: np.ndarray, values: np.ndarray) -> tuple[float, float]:
    # A residual says that an eigenvalue is near, not that it is the outermost. An end
    # that still moved within the last quarter of the products may go on to do so, by as
    # much again.
    earlier = max(1, 3 * len(matrix) // 4)
    part = matrix[:earlier, :earlier]
    before = np.linalg.eigvalsh((part + part.T) / 2)
    moved = np.abs(before[[0, -1]] - values[[0, -1]])
    return float(2 * moved[0]), float(2 * moved[1])
