"""A batch on which a model is measured."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from keras_dlbasic._data.read import read

ROWS = 256
"""Number of rows that are drawn from a data set."""


def read_batch(x: Any, model: Any = None) -> Any:
    """Return a batch as finite arrays that a model takes.

    Args:
        x: Inputs that `read` can read; of a data set 256 rows are drawn.
        model: The model, or None: not known.

    Raises:
        ValueError: If it is none, holds values that are not finite, or does not fit the
            model.
    """
    return _finite_arrays(read(x, model=model, most=ROWS).x)


def read_labeled_batch(x: Any, y: Any, model: Any = None) -> tuple[Any, Any]:
    """Return a batch likewise, and its targets.

    Args:
        x: As for `read_batch`.
        y: Targets, None if there are none or with a data set.
        model: As for `read_batch`. The targets of a data set count if it has a loss.
    """
    found = read(x, y, model=model, most=ROWS)
    has_loss = y is not None or getattr(model, "loss", None) is not None
    return _finite_arrays(found.x), found.y if has_loss else None


def _finite_arrays(arrays: Any) -> Any:
    # an optional input may be None
    return keras.tree.map_structure(
        lambda leaf: None if leaf is None else _finite(np.asarray(leaf)), arrays
    )


def _finite(array: np.ndarray) -> np.ndarray:
    if array.dtype.kind != "f":
        return array
    if not np.isfinite(array).all():
        wrong = int(np.size(array) - np.isfinite(array).sum())
        raise ValueError(
            f"`x` must be finite. Received: {wrong} of {array.size} values are NaN or "
            "infinite. Clean the data, for example by `numpy.nan_to_num`, or leave the "
            "samples out."
        )
    return array.astype(keras.config.floatx())
