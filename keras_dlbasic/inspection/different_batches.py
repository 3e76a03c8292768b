"""How many of the batches that passed are different."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

FIRST_ROWS = 4


def different_batches(parts: Sequence[Any]) -> int:
    """Return how many batches differ from all before, by the rows kept of each.

    Args:
        parts: The batches, each a structure of arrays.

    Example:
    >>> import numpy as np
    >>> from keras_dlbasic.inspection.different_batches import different_batches
    >>> first, second = (np.zeros(3), None), (np.ones(3), None)
    >>> different_batches([first, second, first])
    2
    """
    # most batches differ in their first rows: only what does not is read to its end
    alike: dict[int, list[Any]] = {}
    for part in parts:
        alike.setdefault(_key(part, FIRST_ROWS), []).append(part)
    groups = alike.values()
    return sum(
        1 if len(group) == 1 else len({_key(part) for part in group})
        for group in groups
    )


def _key(part: Any, rows: int | None = None) -> int:
    leaves = [np.asarray(leaf) for leaf in keras.tree.flatten(part) if leaf is not None]
    shapes = [a.shape for a in leaves]
    leaves = [a[:rows] if a.ndim else a for a in leaves]
    bits = (np.ascontiguousarray(a).tobytes() for a in leaves)
    return hash(tuple(zip(shapes, bits, strict=True)))
