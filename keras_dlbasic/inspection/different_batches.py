"""How many of the batches that passed are different."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np


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
    return len({_key(part) for part in parts})


def _key(part: Any) -> int:
    leaves = [np.asarray(leaf) for leaf in keras.tree.flatten(part) if leaf is not None]
    return hash(tuple((a.shape, np.ascontiguousarray(a).tobytes()) for a in leaves))
