"""Targets that are the steps of the only input."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from keras_dlbasic.inspection.next_step_of import ALIKE, changes, steps_of


def copy_of(y: np.ndarray, inputs: Sequence[tuple[str, np.ndarray]]) -> str | None:
    """Return the name of the only input if the targets are its own steps.

    An autoencoder of words has such targets on purpose. A language model has them where
    the targets were not shifted by a step.

    Args:
        y: Targets, `[n, steps]` or `[n, steps, 1]` of whole numbers.
        inputs: Arrays of inputs by name.

    Example:
    >>> import numpy as np
    >>> from keras_dlbasic.inspection.copy_of import copy_of
    >>> words = np.random.default_rng(0).integers(1, 9, (16, 8))
    >>> copy_of(words, [("words", words)])
    'words'
    """
    if len(inputs) != 1:
        return None
    (name, x) = inputs[0]
    target, steps = steps_of(y), steps_of(x)
    if target is None or steps is None or steps.shape != target.shape:
        return None
    is_whole = bool((target == np.round(target)).all()) and len(np.unique(target)) > 2
    if not is_whole or not changes(target):
        return None
    return name if (steps == target).mean() >= ALIKE else None
