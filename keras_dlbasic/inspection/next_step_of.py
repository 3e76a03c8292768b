"""Targets that are the inputs one step later."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from keras_dlbasic.analysis.evenly import evenly

ROWS = 256
MIN_STEPS = 3
MIN_ROWS = 8

ALIKE = 0.98
"""Of the entries, at least this share must be those of the step compared with."""


def next_step_of(y: np.ndarray, inputs: Sequence[tuple[str, np.ndarray]]) -> str | None:
    """Return the name of the input whose next step the targets are.

    A language model predicts the next word of its input, a forecast the next value: at
    each step the target is what the input has one step later.

    Args:
        y: Targets, `[n, steps]` or `[n, steps, 1]`.
        inputs: Arrays of inputs by name; those `[n, steps]` or `[n, steps, 1]` count.

    Returns:
        The name of the first such input; None if there is none, and of targets that do
        not change from step to step.

    Example:
    >>> import numpy as np
    >>> from keras_dlbasic.inspection.next_step_of import next_step_of
    >>> words = np.random.default_rng(0).integers(1, 9, (16, 8))
    >>> next_step_of(words[:, 1:], [("tokens", words[:, :-1])])
    'tokens'
    """
    target = steps_of(y)
    if target is None or not changes(target):
        return None
    for name, x in inputs:
        steps = steps_of(x)
        if steps is None or steps.shape != target.shape:
            continue
        later, now = steps[:, 1:], target[:, :-1]
        # padding is the same one step later too, and says nothing
        counts = (now != now[:, -1:]) | (later != later[:, -1:])
        if counts.sum() < MIN_ROWS * MIN_STEPS:
            continue
        if np.isclose(later[counts], now[counts], rtol=1e-5).mean() >= ALIKE:
            return name
    return None


def steps_of(array: np.ndarray) -> np.ndarray | None:
    """Return some rows as `[n, steps]`, or None for what has another form."""
    if array.dtype.kind not in "iuf" or len(array) < MIN_ROWS:
        return None
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[:, :, 0]
    if array.ndim != 2 or array.shape[1] < MIN_STEPS:
        return None
    return np.asarray(array[evenly(len(array), ROWS)], np.float64)


def changes(steps: np.ndarray) -> bool:
    """Return whether one step tells little of the next: else a copy proves nothing."""
    return bool((steps[:, 1:] != steps[:, :-1]).mean() > 0.2)
