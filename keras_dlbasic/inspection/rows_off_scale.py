"""A few rows on another scale than all others."""

from __future__ import annotations

import numpy as np

LEAST_ROWS, LEAST_SHARE, MOST_SHARE = 3, 0.002, 0.2
"""Fewer rows are outliers, and more are a kind of their own."""

GAP = 5.0
"""No row lies in between: neighbors, sorted by size, are this many times apart."""

ALIKE = 4.0
"""Within each group, the 90th percentile is at most this many times the 10th."""


def rows_off_scale(values: np.ndarray) -> tuple[float, float]:
    """Return how large a few rows are beside all others, and their share.

    Rows that were not scaled as the others form a group of their own: there are no rows
    in between, as there are where sizes merely vary.

    Args:
        values: Finite numbers, `[n, n_columns]`.

    Returns:
        The ratio of the median sizes (root mean squares) of both groups and the share
        of the rows in the smaller one; 1 and 0 if there is one group only. Rows of
        zeros do not count.

    Example:
    >>> import numpy as np
    >>> from keras_dlbasic.inspection.rows_off_scale import rows_off_scale
    >>> x = np.random.default_rng(0).normal(size=(200, 30))
    >>> x[::20] *= 100
    >>> ratio, share = rows_off_scale(x)
    >>> round(ratio, -1), share
    (100.0, 0.05)
    """
    sizes = np.sqrt(np.einsum("nc,nc->n", values, values) / max(1, values.shape[1]))
    sizes = np.sort(sizes[sizes > 0])
    n = len(sizes)
    least = max(LEAST_ROWS, int(np.ceil(LEAST_SHARE * n)))
    most = int(MOST_SHARE * n)
    if values.shape[1] < 2 or most < least:
        return 1.0, 0.0
    gaps = sizes[1:] / sizes[:-1]
    places = np.arange(1, n)  # as many rows are below
    fitting = ((places >= least) & (places <= most)) | (
        (n - places >= least) & (n - places <= most)
    )
    gaps = np.where(fitting, gaps, 0.0)
    at = int(gaps.argmax()) + 1
    below, above = sizes[:at], sizes[at:]
    if gaps[at - 1] < GAP or not (_are_alike(below) and _are_alike(above)):
        return 1.0, 0.0
    few, others = (below, above) if at <= n // 2 else (above, below)
    return float(np.median(few) / np.median(others)), len(few) / n


def _are_alike(sizes: np.ndarray) -> bool:
    low, high = np.quantile(sizes, (0.1, 0.9))
    return bool(high <= ALIKE * low)
