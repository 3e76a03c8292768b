"""What to say of data that are no arrays."""

from __future__ import annotations

from typing import Any

import keras

EXPECTED = (
    "must be an array of samples, a tensor or a data frame of them, or a structure of "
    "these."
)


def no_arrays(x: Any, *, passing: bool = False) -> str:
    """Return what was given in the place of arrays, and what to give.

    Args:
        x: What was given.
        passing: Whether batches serve that pass in `fit`. Defaults to `False`.
    """
    kind = type(x).__name__
    is_iterator, is_set = hasattr(x, "__next__"), _is_data_set(x)
    if not (is_iterator or is_set):
        return (
            f"Received an object of type {kind}. `numpy.asarray` makes an array of "
            "numbers in lists."
        )
    what = "an iterator" if is_iterator else "a data set"
    if passing:
        return (
            f"Received {what} of type {kind}. Leave `x` and `y` out: the batches that "
            "`fit` trains on are read as they pass, and none is drawn for that."
        )
    if is_iterator:
        batch = "next(data)"
    else:
        batch = "data[0]" if _is_sequence(x) else "next(iter(data))"
    return f"Received {what} of type {kind}. Give a batch of it: `x, y = {batch}`."


def _is_sequence(x: Any) -> bool:
    return isinstance(x, keras.utils.PyDataset)


def _is_data_set(x: Any) -> bool:
    is_plain = isinstance(x, (str, bytes, dict, list, tuple, set))
    return _is_sequence(x) or (hasattr(x, "__iter__") and not is_plain)
