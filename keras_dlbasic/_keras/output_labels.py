"""What losses, targets and logs call the outputs of a model."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any


def output_labels(model: Any, paths: Iterable[tuple[Any, ...]]) -> list[str | None]:
    """Return the names of several outputs, as Keras joins them to `_loss` in logs.

    Args:
        model: The model.
        paths: Keys and places of the outputs in what the model gives, as
            `keras.tree.flatten_with_path` has them.

    Returns:
        A name for each output: its key in a dictionary, or the name of its layer in
        lists of a Functional model; None where there is none, as in lists of a
        subclassed model.
    """
    paths = list(paths)
    names = list(getattr(model, "output_names", None) or [])
    if len(names) != len(paths):
        names = [None] * len(paths)
    return [_label(path, name) for path, name in zip(paths, names, strict=True)]


def _label(path: tuple[Any, ...], name: Any) -> str | None:
    if not path or isinstance(path[-1], int):
        path = (*path[:-1], name)
    return None if None in path else "/".join(map(str, path))


def loss_weights(model: Any) -> Any:
    """Return the `loss_weights` that a model was compiled with, None if none were."""
    compiled = getattr(model, "_compile_loss", None)
    return getattr(compiled, "_user_loss_weights", None)
