"""The regime of gradient descent, chosen by `batch_size`."""

from __future__ import annotations

from typing import Any

MINI = 32
"""The default of `model.fit`, and of `"mini"`."""

REGIMES = {
    "full": "full-batch: one update from the whole data set",
    "mini": "mini-batch: one update from a part of the data set",
    "single": "one sample per update",
}


def resolve_batch_size(batch_size: str | int, x: Any) -> int:
    """Return the number to give to `model.fit(x, y, batch_size=...)`.

    Args:
        batch_size: `"full"`: the whole data set for one update; `"mini"`: 32 samples,
            Keras' default; `"single"`: one sample per update (stochastic gradient
            descent; not the class `keras.optimizers.SGD`, which is the update rule of
            all three); or a number of samples.
        x: The inputs: an array, or a list, tuple or dict of arrays.

    Returns:
        A number of samples, at most as many as there are.

    Raises:
        TypeError: If `x` makes its own batches (a PyDataset, a `tf.data.Dataset`, a
            DataLoader, a generator): Keras ignores `batch_size` there without a word.
        ValueError: If `batch_size` is none of the above, or there are no samples.

    Example:
    >>> import numpy as np
    >>> from keras_dlbasic.studies import resolve_batch_size
    >>> x = np.zeros((1000, 8))
    >>> [resolve_batch_size(size, x) for size in ("full", "mini", "single", 256)]
    [1000, 32, 1, 256]
    """
    n = count_rows(x)
    if isinstance(batch_size, str):
        named = {"full": n, "mini": min(MINI, n), "single": 1}
        if batch_size in named:
            return named[batch_size]
    elif not isinstance(batch_size, bool) and batch_size == int(batch_size) >= 1:
        return min(int(batch_size), n)
    raise ValueError(
        '`batch_size` must be "full", "mini", "single" or a whole number of samples, '
        f"at least 1. Received: batch_size={batch_size!r}"
    )


def regime_of(batch_size: int, n: int) -> str:
    """Return `"full"`, `"mini"` or `"single"`."""
    if batch_size >= n:
        return "full"
    return "single" if batch_size == 1 else "mini"


def count_rows(x: Any) -> int:
    """Return the number of samples in an array or a structure of arrays."""
    leaves = flatten(x)
    for leaf in leaves:
        shape = getattr(leaf, "shape", None)
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


def _own_batches(x: Any) -> str:
    kind = type(x)
    advice = "Pass arrays, or give it the batch size where it is made"
    if kind.__module__.startswith("tensorflow"):
        advice = "Rebatch it: `dataset.unbatch().batch(n)`; or pass arrays"
    elif kind.__module__.startswith("torch"):
        advice = "Make it with `DataLoader(dataset, batch_size=n)`; or pass arrays"
    return (
        "`x` must be an array or a structure of arrays. Received: x of type "
        f"{kind.__module__}.{kind.__qualname__}, which makes its own batches: Keras "
        f"ignores `batch_size` for it without a word. {advice}."
    )
