"""What a model and a batch must be like before anything is measured."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops

from keras_dlbasic._keras.no_arrays import EXPECTED, no_arrays


def check_batch(x: Any, name: str = "x") -> Any:
    """Return a batch as arrays that a model takes.

    Raises:
        ValueError: If it is empty or holds values that are not finite.
    """
    leaves = keras.tree.flatten(x)
    if not leaves or any(leaf is None for leaf in leaves):
        raise ValueError(f"`{name}` must be an array of samples. Received: {x!r}")
    if not all(hasattr(leaf, "shape") for leaf in leaves):
        raise ValueError(f"`{name}` {EXPECTED} {no_arrays(x)}")
    arrays = [np.asarray(ops.convert_to_numpy(leaf)) for leaf in leaves]
    for array in arrays:
        if array.ndim == 0 or len(array) == 0:
            raise ValueError(
                f"`{name}` must hold at least one sample. Received: an array of shape "
                f"{array.shape}."
            )
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            wrong = int(np.size(array) - np.isfinite(array).sum())
            raise ValueError(
                f"`{name}` must be finite. Received: {wrong} of {array.size} values "
                "are NaN or infinite. Clean the data, for example by `numpy."
                "nan_to_num`, or leave the samples out."
            )
    arrays = [
        a.astype(keras.config.floatx()) if a.dtype.kind == "f" else a for a in arrays
    ]
    return keras.tree.pack_sequence_as(x, arrays)


def check_built(model: Any) -> None:
    """Check that a model has weights to look at.

    Raises:
        ValueError: If it is not built.
    """
    if not getattr(model, "built", False):
        raise ValueError(
            f"Model '{getattr(model, 'name', model)}' is not built, so it has no "
            "weights yet. Call it on a batch, or `model.build(input_shape)`, or give "
            "it a `keras.Input`."
        )
