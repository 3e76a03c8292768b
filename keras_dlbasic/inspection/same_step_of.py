"""Targets that one of several inputs has at each step."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from keras_dlbasic.inspection.next_step_of import ALIKE, changes, next_step_of, steps_of


def same_step_of(y: np.ndarray, inputs: Sequence[tuple[str, np.ndarray]]) -> str | None:
    """Return the name of one of several inputs that has the targets at each step.

    A decoder that is given the answer, not shifted by a step, copies it. With a single
    sequence of ids, or where another one is shifted as it should be, that is an
    autoencoder.

    Args:
        y: Targets, `[n, steps]` or `[n, steps, 1]` of whole numbers.
        inputs: Arrays of inputs by name, as for `next_step_of`.

    Returns:
        The name of the first such input; None if there is none.

    Example:
    >>> import numpy as np
    >>> from keras_dlbasic.inspection.same_step_of import same_step_of
    >>> source, target = np.random.default_rng(0).integers(1, 9, (2, 16, 8))
    >>> same_step_of(target, [("source", source), ("decoder", target)])
    'decoder'
    """
    target = steps_of(y)
    sequences = [name for name, x in inputs if _is_of_ids(x)]
    if len(sequences) < 2 or target is None or not changes(target):
        return None
    if not (target == np.round(target)).all() or next_step_of(y, inputs):
        return None
    for name, x in inputs:
        steps = steps_of(x) if name in sequences else None
        if steps is None or steps.shape != target.shape:
            continue
        if (steps == target).mean() >= ALIKE:
            return name
    return None


def _is_of_ids(x: np.ndarray) -> bool:
    """Return whether an array has sequences of ids.

    A mask has two values only, and positions are the same in all rows.
    """
    steps = steps_of(x)
    if steps is None or not (steps == np.round(steps)).all():
        return False
    return len(np.unique(steps)) > 2 and bool((steps != steps[:1]).any())
