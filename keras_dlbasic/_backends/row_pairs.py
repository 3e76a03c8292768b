"""Targets that are compared with the outputs of all rows within a step."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from importlib import import_module
from typing import Any

import keras

from keras_dlbasic._backends.guard import Guard


def row_pairs_seen(
    data: Any, sink: Callable[[str], None], guard: Guard
) -> AbstractContextManager[Any]:
    """Return a context that sees targets less outputs of all rows in a user's step.

    What is run or traced in it is the same as without it. On JAX nothing is seen: what
    is traced there cannot be read meanwhile.

    Args:
        data: A batch: `(x, y)` or `(x, y, sample_weight)`.
        sink: Called with what lacks its last axis, `"targets"` or `"outputs"`, for
            each operation that takes targets of the batch and outputs of shapes
            `(n,)` and `(n, 1)`.
        guard: Catches errors of the watching.
    """
    name = keras.backend.backend()
    if name == "jax" or not isinstance(data, (tuple, list)) or len(data) < 2:
        return nullcontext()
    targets = [leaf for leaf in keras.tree.flatten(data[1]) if leaf is not None]
    module = import_module(f"keras_dlbasic._backends.{name}.row_pairs")
    context: AbstractContextManager[Any] = module.row_pairs_seen(targets, sink, guard)
    return context


def short_side(
    target: tuple[int | None, ...], output: tuple[int | None, ...]
) -> str | None:
    """Return which of two shapes lacks the last axis, so that all rows meet.

    Args:
        target: Shape of the targets, samples first; None where it is not known.
        output: Shape of the outputs.

    Returns:
        `"targets"` for `(n,)` and `(n, 1)`, `"outputs"` for `(n, 1)` and `(n,)`, else
        None.

    Example:
    >>> from keras_dlbasic._backends.row_pairs import short_side
    >>> short_side((32,), (32, 1)), short_side((32, 1), (32, 1))
    ('targets', None)
    """
    if sorted((len(target), len(output))) != [1, 2]:
        return None
    lacks, has = sorted((target, output), key=len)
    if has[1] != 1 or lacks[0] != has[0] or lacks[0] == 1:
        return None
    return "targets" if lacks is target else "outputs"
