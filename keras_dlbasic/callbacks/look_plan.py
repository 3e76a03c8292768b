"""After which epochs a model is looked at, and on how many rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

SIZES = (256, 192, 128, 96, 64, 48, 32)
"""Looks have one of few numbers of rows, since each is compiled anew."""

MOST_ROWS, LEAST_ROWS = SIZES[0], SIZES[-1]

SHARE = 0.02
"""So large a part of the work of a fit all its looks may be."""

LONG_SHARE = 0.01
"""The same in a long fit (`sampling.is_long_fit`), where measured steps are another
1 %: one in 32, each about 0.3 of a step more."""

FORWARD_PASSES = 3
"""A step on a row is the work of this many looks: it goes forward and backward."""

LEAST_LOOKS = 4
"""Looks become fewer down to this number, then get fewer rows: what is said at the end
of a short run hangs on the rows, and hardly on the looks before."""

GROWTH, LONG_GROWTH = 1.35, 2.0
"""From one look to the next the number of the epoch grows by this factor; the second is
that in a long fit."""

HORIZON = 64
"""Looks at the first epochs are paid for by this many: fits are often ended early."""


@dataclass(frozen=True)
class LookPlan:
    """The looks at a model in a fit.

    Attributes:
        rows: Number of rows of each look.
        epochs: After this many epochs there is a look, increasing; the last one is
            after the last epoch. Another look comes before the first step.
    """

    rows: int
    epochs: tuple[int, ...]

    def is_due(self, epochs: int) -> bool:
        """Return whether a look comes after this many epochs."""
        return epochs in self.epochs


def plan_looks(
    epochs: int,
    rows_per_epoch: int,
    most: int = MOST_ROWS,
    *,
    before: bool = True,
    is_long: bool = False,
) -> LookPlan:
    """Plan the looks of a fit, which depend on its length alone.

    All looks together are at most 2 % of the work of the fit (1 % of a long one). A
    look on a row is one forward pass, training on it counts as three. So of 100 rows
    that are trained, six may be looked at. Where that is too little for looks on 256
    rows at ever longer intervals, there are fewer, down to four; these then get fewer
    rows, down to 32. Four looks on 32 rows are made in any case, if there are epochs
    enough.

    Args:
        epochs: Number of epochs of the fit.
        rows_per_epoch: Number of rows that are trained in an epoch.
        most: Largest number of rows of a look. Defaults to `256`.
        before: Whether there is a look before the first step. Defaults to `True`.
        is_long: Whether the fit has 1,000 steps or more, so that looks cost less and
            are further apart. Defaults to `False`.

    Example:
    >>> from keras_dlbasic.callbacks.look_plan import plan_looks
    >>> plan_looks(10, 60_000)
    LookPlan(rows=256, epochs=(1, 2, 3, 4, 5, 6, 8, 10))
    >>> plan_looks(10, 512)
    LookPlan(rows=64, epochs=(1, 3, 10))
    """
    share, growth = (LONG_SHARE, LONG_GROWTH) if is_long else (SHARE, GROWTH)
    per_epoch = share * FORWARD_PASSES * rows_per_epoch
    horizon = max(1, min(epochs, HORIZON))
    wanted = _growing(1, horizon, growth)
    allowed = int(per_epoch * horizon)
    n = len(wanted) + before
    rows = most
    if allowed < n * most:
        n = min(n, max(LEAST_LOOKS, allowed // most))
        rows = min(most, _size(allowed // n))
        n = max(LEAST_LOOKS, min(n, allowed // rows))
    n -= before
    chosen = wanted if n >= len(wanted) else _spread(horizon, n)
    for epoch in _growing(horizon, epochs, growth)[1:-1]:
        # one more than these is before the first step, and one after the last epoch
        if (len(chosen) + 3) * rows <= per_epoch * epoch:
            chosen.append(epoch)
    if chosen[-1] != epochs:
        if (len(chosen) + 2) * rows > per_epoch * epochs:
            chosen.pop()
        chosen.append(epochs)
    return LookPlan(rows, tuple(chosen))


def _size(rows: int) -> int:
    """Return the largest of the numbers of rows up to `rows`, the least if none is."""
    return next((size for size in SIZES if size <= rows), LEAST_ROWS)


def _growing(first: int, last: int, growth: float) -> list[int]:
    """Return numbers of epochs ever further apart, both ends included."""
    found, epoch = [], first
    while epoch < last:
        found.append(epoch)
        epoch = max(epoch + 1, int(epoch * growth))
    return [*found, last]


def _spread(last: int, n: int) -> list[int]:
    """Return `n` numbers from 1 to `last`, ever further apart; all if n is larger."""
    if n >= last:
        return list(range(1, last + 1))
    found: list[int] = []
    for place, epoch in enumerate(np.geomspace(1, last, n).round().astype(int)):
        least = found[-1] + 1 if found else 1
        found.append(max(least, min(int(epoch), last - (n - 1 - place))))
    return found
