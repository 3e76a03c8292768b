"""Which rows a bounded record keeps."""

from __future__ import annotations

import math

WARMUP_STEPS = 256
"""Number of steps that count as the warm-up of a run, in which most changes."""

FIRST_STEPS = 16
"""Number of steps at the start of a run that are all warm-up steps."""


def is_warmup_step(step: int) -> bool:
    """Return whether `step` is one of the logarithmically spaced warm-up steps.

    All of the first 16 steps, then eight per doubling, up to `WARMUP_STEPS`.

    Args:
        step: Number of the step since the start of the run, 0-based.

    Example:
    >>> from keras_dlbasic.records.thinning import is_warmup_step
    >>> [step for step in range(40) if is_warmup_step(step)][14:]
    [14, 15, 16, 18, 20, 22, 24, 26, 28, 30, 32, 36]
    """
    if step >= WARMUP_STEPS:
        return False
    return step < FIRST_STEPS or step % 2 ** (int(math.log2(step)) - 3) == 0
