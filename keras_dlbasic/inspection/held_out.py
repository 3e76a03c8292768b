"""Which of the rows given `fit` holds out for validation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from keras_dlbasic.analysis.evenly import evenly

MOST_FEATURES = 64
"""Number of entries, evenly chosen, by which rows are distinguished."""

CHANCE = 1e-3
"""So improbable must it be that rows of a random split look like those of this one."""


@dataclass(frozen=True)
class HeldOut:
    """Which rows were trained, of those in the order in which they were given.

    Attributes:
        n_trained: The first rows, which were trained.
        first: Number of the first row that was held out; all after it were, too.
    """

    n_trained: int
    first: int


def held_out(
    x: np.ndarray,
    seen: np.ndarray,
    *,
    steps: int | None,
    batch_size: int | None,
    n_validated: int | None,
) -> HeldOut | None:
    """Find whether `fit(validation_split=...)` held out the last of some rows.

    `fit` says so to no callback. But the rows that it trained are those of all batches
    but the last, and up to a batch more; and those that it validated on were counted.
    If both make up the rows given, and the rows that were seen to be trained are all
    among the first ones, the others were held out.

    Args:
        x: Inputs as they were given to a callback, samples first.
        seen: Rows that passed in training.
        steps: Number of steps in an epoch, None if not known.
        batch_size: Rows of a full batch, None if not known.
        n_validated: Number of rows of the validation, None if not known.

    Returns:
        A `HeldOut`; None if none was held out, or nothing is sure: other rows were
        trained than those given, say, or they were split at random.

    Example:
    >>> import numpy as np
    >>> from keras_dlbasic.inspection.held_out import held_out
    >>> x = np.arange(100.0)[:, None]
    >>> held_out(x, x[:64], steps=3, batch_size=32, n_validated=20)
    HeldOut(n_trained=80, first=80)
    """
    are_numbers = x.dtype.kind in "iubf" and seen.dtype.kind in "iubf"
    if not steps or not batch_size or not are_numbers:
        return None
    # The last batch of an epoch may be short, so the number of rows that were trained
    # is known up to a batch. A count of validated rows makes it exact.
    least, most = (steps - 1) * batch_size + 1, steps * batch_size
    n = len(x)
    if n_validated:
        least = most = n - n_validated if least <= n - n_validated <= most else 0
    if not 0 < least <= most < n:
        return None
    found = HeldOut(least, most)
    return found if _are_among_the_first(x, seen, found) else None


def _are_among_the_first(x: np.ndarray, seen: np.ndarray, found: HeldOut) -> bool:
    # of a split at random, the rows that passed would be from everywhere
    share = 1 - found.first / len(x)
    if (1 - share) ** len(seen) > CHANCE or seen.shape[1:] != x.shape[1:]:
        return False
    trained, asked = row_keys(x[: found.first]), row_keys(seen)
    return bool(np.isin(asked, trained).all())


def row_keys(rows: np.ndarray) -> np.ndarray:
    """Return a number for each row by which it is known again, `[n]`.

    It is a sum of the bits of some entries with factors, in whole numbers that
    overflow: the same in any order and on any machine.
    """
    flat = rows.reshape(len(rows), -1)
    columns = evenly(flat.shape[1], MOST_FEATURES)
    factors = np.random.default_rng(0).integers(1, 2**63, len(columns), np.uint64)
    # `fit` makes numbers float32, as they are here; plus zero, as -0 is 0 too
    chosen = flat[:, columns].astype(np.float32, copy=False) + np.float32(0)
    bits = chosen.view(np.uint32).astype(np.uint64)
    keys: np.ndarray = np.einsum("nc,c->n", bits, factors)
    return keys
