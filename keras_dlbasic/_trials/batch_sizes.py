"""The regime of gradient descent, chosen by `batch_size`."""

from __future__ import annotations

import math
import numbers
from typing import Any

from keras_dlbasic._arguments import shown
from keras_dlbasic._wrong_arguments import names_nearest

MINI = 32
"""The default of `model.fit`, and of `"mini"`."""

REGIMES = {
    "full": "full-batch: one update from the whole data set",
    "mini": "mini-batch: one update from a part of the data set",
    "single": "one sample per update",
}


@names_nearest
def resolve_batch_size(batch_size: str | int, x: Any) -> int:
    """Return the number to give to `model.fit(x, y, batch_size=...)`.

    Args:
        batch_size: `"full"`: the whole data set for one update; `"mini"`: 32 samples,
            Keras' default; `"single"`: one sample per update (stochastic gradient
            descent; not the class `keras.optimizers.SGD`, which is the update rule of
            all three); or a number of samples.
        x: The inputs: an array, or a list, tuple or dict of arrays.

    Returns:
        The batch size, at most the number of samples.

    Raises:
        TypeError: If `x` makes its own batches (a PyDataset, a `tf.data.Dataset`, a
            DataLoader, a generator): Keras silently ignores `batch_size` there.
            `rebatch` changes the batch size of a `tf.data.Dataset` or a DataLoader.
        ValueError: If `batch_size` is not one of the above, or there are no samples.

    Example:
    >>> import numpy as np
    >>> from keras_dlbasic.studies import resolve_batch_size
    >>> x = np.zeros((1000, 8))
    >>> [resolve_batch_size(size, x) for size in ("full", "mini", "single", 256)]
    [1000, 32, 1, 256]
    """
    return named_batch_size(batch_size, count_rows(x))


def named_batch_size(batch_size: str | int, n: int | None) -> int:
    """Return the number of samples that `batch_size` names.

    Args:
        batch_size: See `resolve_batch_size`.
        n: Number of samples, None where it is not known and not asked for.

    Raises:
        ValueError: If `batch_size` is no choice, or there are no samples.
    """
    if n == 0:
        raise ValueError("There must be at least one sample. Received: none")
    size = 0
    if isinstance(batch_size, str):
        size = {"full": n or 0, "mini": MINI, "single": 1}.get(batch_size, 0)
    elif _is_whole(batch_size):
        size = int(batch_size)
    if size < 1:
        raise ValueError(
            '`batch_size` must be "full", "mini", "single" or a whole number of '
            f"samples, at least 1. Received: batch_size={shown(batch_size)}"
        )
    return size if n is None else min(size, n)


def _is_whole(value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        return False
    number = float(value)
    return math.isfinite(number) and number.is_integer()


def count_rows(x: Any) -> int:
    """Return the number of samples in an array or a structure of arrays."""
    leaves = flatten(x)
    for leaf in leaves:
        shape = getattr(leaf, "shape", None)
        if isinstance(leaf, (numbers.Number, str, bytes)):
            raise TypeError(
                "`x` must be an array or a structure of arrays. Received "
                f"{type(leaf).__name__} {leaf!r}. Convert lists with `numpy.asarray`."
            )
        if shape is None or len(shape) == 0 or shape[0] is None:
            raise TypeError(_own_batches(leaf))
    lengths = {int(leaf.shape[0]) for leaf in leaves}
    if len(lengths) != 1 or 0 in lengths:
        raise ValueError(
            "The arrays must have the same number of samples along their first axis, "
            f"at least one. Received lengths: {sorted(lengths)}"
        )
    return lengths.pop()


def flatten(tree: Any) -> list[Any]:
    """Return the leaves of a list, tuple or dict of arrays, None left out."""
    if tree is None:
        return []
    if isinstance(tree, dict):
        return [leaf for part in tree.values() for leaf in flatten(part)]
    if isinstance(tree, (list, tuple)):
        return [leaf for part in tree for leaf in flatten(part)]
    return [tree]


def map_leaves(function: Any, tree: Any) -> Any:
    """Return the same structure with `function` applied to each leaf but None."""
    if tree is None:
        return None
    if isinstance(tree, dict):
        return {key: map_leaves(function, part) for key, part in tree.items()}
    if isinstance(tree, (list, tuple)):
        parts = [map_leaves(function, part) for part in tree]
        return parts if isinstance(tree, list) else tuple(parts)
    return function(tree)


def is_dataset(x: Any, package: str) -> bool:
    """Return whether `x` is TensorFlow's `Dataset` or PyTorch's `DataLoader`."""
    name = {"tensorflow": "DatasetV2", "torch": "DataLoader"}[package]
    return any(
        kind.__name__ == name and kind.__module__.partition(".")[0] == package
        for kind in type(x).__mro__
    )


def _own_batches(x: Any) -> str:
    kind = type(x)
    advice = "Pass arrays, or set the batch size in the data set itself"
    if is_dataset(x, "tensorflow") or is_dataset(x, "torch"):
        advice = (
            "Pass arrays, or what `keras_dlbasic.studies.rebatch(x, batch_size)` gives "
            "to `model.fit` without `batch_size`"
        )
    return (
        "`x` must be an array or a structure of arrays. Received: x of type "
        f"{kind.__module__}.{kind.__qualname__}, which makes its own batches: Keras "
        f"silently ignores `batch_size` for it. {advice}."
    )
