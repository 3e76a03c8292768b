"""At which steps of a fit gradients are measured."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Literal

from keras_dlbasic.records.thinning import FIRST_STEPS, is_warmup_step

Every = int | Literal["auto", "epoch"]

STEPS_PER_SAMPLE = 32
"""Under `"auto"`, one of at least this many steps is measured after the warm-up."""

MOST_SAMPLES_PER_EPOCH = 32

FIRST_READ, SPREAD_READ = 16, 16
"""Number of batches that are read at the start of the first epoch, and of those that
are spread over it."""

GOLDEN_RATIO = 0.6180339887498949


def check_every(every: object) -> Every:
    """Return `every` if it is a valid choice, else say what would be.

    Raises:
        ValueError: If `every` is not `"auto"`, `"epoch"` or an integer >= 1.
    """
    if every in ("auto", "epoch") and isinstance(every, str):
        return every
    if isinstance(every, int) and not isinstance(every, bool) and every >= 1:
        return every
    raise ValueError(
        '`every` must be "auto", "epoch" or an integer >= 1 (measure every this many '
        f"steps). Received: every={every!r} of type {type(every).__name__}"
    )


def epoch_plan(
    every: Every, epoch: int, n_steps: int | None, first_step: int
) -> Callable[[int], bool]:
    """Plan the sampled steps of an epoch.

    `"auto"` takes a logarithmic warm-up, then up to 32 evenly spread steps an epoch,
    at most one in 32, at least one. Their places shift from epoch to epoch, so that
    data which come in the same order are seen all over. The last step of an epoch is
    avoided where there is another one, since its batch is often shorter, which would
    cost a compilation.

    Args:
        every: As in `GradientNormMonitor`.
        epoch: Count of epochs since the fit began, 0-based.
        n_steps: Number of steps in the epoch, or None if not known.
        first_step: Number of the epoch's first step since the fit began.

    Returns:
        A function that tells for a step, counted from the begin of the epoch, whether
        it is measured.
    """
    if isinstance(every, int):
        interval = every
        return lambda step: (first_step + step) % interval == 0
    if every == "epoch":
        chosen = _spread(1, epoch, n_steps)
        return lambda step: step in chosen
    count = 1 if n_steps is None else n_steps // STEPS_PER_SAMPLE
    chosen = _spread(max(1, min(count, MOST_SAMPLES_PER_EPOCH)), epoch, n_steps)
    unknown = n_steps is None

    def is_sampled(step: int) -> bool:
        total = first_step + step
        if total == 1 and n_steps != 1:
            return False  # both step functions are traced early, from the same state
        steady = step in chosen or (unknown and total % STEPS_PER_SAMPLE == 0)
        # A shorter last batch is compiled by itself. In the first steps that is one
        # wait more among others; later a fit would stop for seconds, at a step that
        # is far from the begin of the run.
        is_last = n_steps is not None and step == n_steps - 1 > 0
        is_odd = is_last and total >= FIRST_STEPS
        return steady or (is_warmup_step(total) and not is_odd)

    return is_sampled


def reading_plan(n_steps: int | None) -> Callable[[int], bool]:
    """Plan which batches of the first epoch are read.

    The first 16, and 16 spread evenly over the epoch; where its length is not known,
    four for each doubling of the number of steps. So batches are seen from all over the
    epoch, however long it is and in whatever order rows come.

    Args:
        n_steps: Number of steps in the epoch, or None if not known.

    Returns:
        A function that tells for a step, counted from the begin of the epoch, whether
        its batch is read.
    """
    if n_steps is None:
        # A step from 2**k up to the next power of two is read if it is a multiple of
        # 2**(k - 2), which four steps are.
        return lambda step: (
            step < FIRST_READ or step % 2 ** (int(math.log2(step)) - 2) == 0
        )
    # not the last step, whose batch is often shorter: that would cost a compilation
    spread = frozenset(
        int((place + 0.5) * (n_steps - 1) / SPREAD_READ) for place in range(SPREAD_READ)
    )
    return lambda step: step < FIRST_READ or step in spread


def _spread(count: int, epoch: int, n_steps: int | None) -> frozenset[int]:
    if n_steps is None:
        return frozenset({0})
    # Multiples of the golden ratio fill an interval evenly however many there are: each
    # epoch samples where the epochs before left the largest gaps.
    usable = max(1, n_steps - 1)
    phase = (epoch * GOLDEN_RATIO) % 1.0
    return frozenset(int((place + phase) * usable / count) for place in range(count))
