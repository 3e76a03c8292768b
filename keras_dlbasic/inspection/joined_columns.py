"""Several inputs as one table."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

MOST_BYTES = 2**28
"""What is larger is not copied into one table."""


def joined_columns(arrays: Sequence[np.ndarray]) -> np.ndarray | None:
    """Return the entries of several inputs side by side, `[n, columns]`.

    Args:
        arrays: Arrays with samples first.

    Returns:
        None if they are not all numbers, of as many samples, or too large.

    Example:
    >>> import numpy as np
    >>> from keras_dlbasic.inspection.joined_columns import joined_columns
    >>> joined_columns([np.zeros((3, 2)), np.ones(3)]).shape
    (3, 3)
    """
    is_table = all(a.dtype.kind in "iubf" and a.ndim for a in arrays)
    if not is_table or len({len(a) for a in arrays}) != 1:
        return None
    if sum(a.nbytes for a in arrays) > MOST_BYTES:
        return None
    return np.concatenate([a.reshape(len(a), -1) for a in arrays], axis=1)
