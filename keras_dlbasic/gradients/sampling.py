"""At which steps of a fit gradients are measured."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Literal

from keras_dlbasic.records.thinning import FIRST_STEPS, is_warmup_step

Every = int | Literal["auto", "epoch"]

STEPS_PER_SAMPLE = 32
"""Under `"auto"`, one of at least this many steps is measured after the warm-up."""

LONG_FIT, LONG_STEPS_PER_SAMPLE = 1_000, 64
"""A fit of at least this many steps is long: its samples are further apart, so that all
of them are about one in 32 steps, with those of the warm-up."""

MOST_SAMPLES_PER_EPOCH = 32

FIRST_READ, SPREAD_READ, LONG_SPREAD_READ = 16, 16, 8
"""Number of batches that are read at the start of the first epoch, and of those that
are spread over it; in a long fit, where each of these makes one more sample."""

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


def is_long_fit(epochs: int | None, n_steps: int | None) -> bool:
    """Return whether a fit has at least 1,000 steps, as far as that is known.

    What watches a long fit is to cost at most 2 % of it. In shorter fits it may cost
    more, since there each sample tells more.

    Args:
        epochs: Number of epochs of the fit, or None if not known.
        n_steps: Number of steps in an epoch, or None if not known.
    """
    return (epochs or 1) * (n_steps or 0) >= LONG_FIT


def epoch_plan(
    every: Every,
    epoch: int,
    n_steps: int | None,
    first_step: int,
    *,
    is_long: bool = False,
) -> Callable[[int], bool]:
    """Plan the sampled steps of an epoch.

    `"auto"` takes a logarithmic warm-up, then up to 32 evenly spread steps an epoch,
    at most one in 32 (in a long fit one in 64), at least one. Their places shift from
    epoch to epoch, so that data which come in the same order are seen all over. The
    last step of an epoch is avoided where there is another one, since its batch is
    often shorter, which would cost a compilation.

    Args:
        every: As in `GradientNormMonitor`.
        epoch: Count of epochs since the fit began, 0-based.
        n_steps: Number of steps in the epoch, or None if not known.
        first_step: Number of the epoch's first step since the fit began.
        is_long: Whether the fit has many steps, so that samples may be further apart;
            see `is_long_fit`. Defaults to `False`.

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
    apart = LONG_STEPS_PER_SAMPLE if is_long else STEPS_PER_SAMPLE
    count = 1 if n_steps is None else n_steps // apart
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
        is_warmup = is_warmup_step(total)
        if is_long and total >= FIRST_STEPS:
            is_warmup &= total.bit_count() == 1  # one for each doubling
        return steady or (is_warmup and not is_odd)

    return is_sampled


def reading_plan(
    n_steps: int | None, *, is_long: bool = False
) -> Callable[[int], bool]:
    """Plan which batches of the first epoch are read.

    The first 16, and 16 (in a long fit 8) spread evenly over the epoch; where its
    length is not known, four for each doubling of the number of steps. So batches are
    seen from all over the epoch, however long it is and in whatever order rows come.

    Args:
        n_steps: Number of steps in the epoch, or None if not known.
        is_long: Whether the fit is long, see `is_long_fit`. Defaults to `False`.

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
    count = LONG_SPREAD_READ if is_long else SPREAD_READ
    spread = frozenset(
        int((place + 0.5) * (n_steps - 1) / count) for place in range(count)
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
