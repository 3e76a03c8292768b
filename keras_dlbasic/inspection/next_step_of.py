"""Targets that are the inputs one step later."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from keras_dlbasic.analysis.evenly import evenly

ROWS = 256
MIN_STEPS = 3
MIN_ROWS = 8

ALIKE = 0.98
"""Of the entries, at least this share must be those of the next step."""


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
    target = _steps(y)
    if target is None or not _changes(target):
        return None
    for name, x in inputs:
        steps = _steps(x)
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


def _steps(array: np.ndarray) -> np.ndarray | None:
    """Return some rows as `[n, steps]`, or None for what has another form."""
    if array.dtype.kind not in "iuf" or len(array) < MIN_ROWS:
        return None
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[:, :, 0]
    if array.ndim != 2 or array.shape[1] < MIN_STEPS:
        return None
    return np.asarray(array[evenly(len(array), ROWS)], np.float64)


def _is_of_ids(x: np.ndarray) -> bool:
    """Return whether an array has sequences of ids; a mask has two values only."""
    steps = _steps(x)
    if steps is None or not (steps == np.round(steps)).all():
        return False
    return len(np.unique(steps)) > 2


def _changes(steps: np.ndarray) -> bool:
    """Return whether one step tells little of the next: else a copy proves nothing."""
    return bool((steps[:, 1:] != steps[:, :-1]).mean() > 0.2)


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
    >>> from keras_dlbasic.inspection.next_step_of import same_step_of
    >>> source, target = np.random.default_rng(0).integers(1, 9, (2, 16, 8))
    >>> same_step_of(target, [("source", source), ("decoder", target)])
    'decoder'
    """
    target = _steps(y)
    sequences = [name for name, x in inputs if _is_of_ids(x)]
    if len(sequences) < 2 or target is None or not _changes(target):
        return None
    if not (target == np.round(target)).all() or next_step_of(y, inputs):
        return None
    for name, x in inputs:
        steps = _steps(x) if name in sequences else None
        if steps is None or steps.shape != target.shape:
            continue
        if (steps == target).mean() >= ALIKE:
            return name
    return None
