"""What a loss of the user's gives for outputs that an activation cannot give."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from keras_dlbasic.inspection.baseline import LOWEST, sample_losses
from keras_dlbasic.inspection.truth_facts import MIN_ROWS
from keras_dlbasic.records.probe_facts import OutsideFacts

FACTORS = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0)
MOST_CORNERS, DRAWN = 8, 8


def outside_facts(
    loss: Any, targets: np.ndarray, shape: tuple[int, ...], activation: str | None
) -> OutsideFacts | None:
    """Find the answers for which a loss is lowest, row by row.

    Losses of probabilities may fall without end outside of 0 and 1, or are not finite:
    these are left out. A squared error has a lowest point.

    Args:
        loss: As for `sample_losses`.
        targets: Targets, samples first.
        shape: Shape of the model's outputs for these rows.
        activation: Activation of the output.

    Returns:
        What the loss asks for; None where it is within the range of the activation for
        all rows, the loss is not one of rows, or it cannot be computed.

    Example:
    >>> import numpy as np
    >>> from keras import ops
    >>> from keras_dlbasic.inspection.outside_facts import outside_facts
    >>> error = lambda t, p: ops.mean((t - p) ** 2, axis=-1)
    >>> y = np.linspace(-3.0, 1.0, 32)[:, None]
    >>> round(outside_facts(error, y, (32, 1), "sigmoid").share, 1)
    0.7
    """
    given = np.asarray(targets)
    lowest = LOWEST.get(str(activation))
    if lowest is None or len(given) < MIN_ROWS or given.dtype.kind not in "iuf":
        return None
    size = max(1.0, float(np.sqrt(np.mean(np.square(given, dtype=np.float64)))))

    def costs(answer: Any) -> np.ndarray:
        outputs = np.broadcast_to(answer, shape).astype("float32")
        return sample_losses(loss, given.copy(), outputs)

    beyond = {
        sign: [v for f in FACTORS if not lowest <= (v := sign * f * size) <= 1]
        for sign in (1.0, -1.0)
    }
    try:
        within = np.array(list(map(costs, _inside(shape[-1], str(activation), lowest))))
        tried = {
            sign: np.array(list(map(costs, values))) for sign, values in beyond.items()
        }
    except Exception:  # a user's loss
        return None
    if within.shape[1] != len(given) or not all(
        np.isfinite(losses).all() for losses in (within, *tried.values())
    ):
        return None
    least, best = within.min(axis=0), np.full(len(given), np.nan)
    lowest_of_all = least.copy()
    for sign, losses in tried.items():
        at = losses.argmin(axis=0)
        found = losses.min(axis=0)
        # at the last one it falls without end, as far as is known
        is_lower = (at < len(losses) - 1) & (found < lowest_of_all)
        lowest_of_all[is_lower] = found[is_lower]
        best[is_lower] = np.array(beyond[sign])[at[is_lower]]
    share = float(np.isfinite(best).mean())
    if not share:
        return None
    return OutsideFacts(
        share=share,
        answer=float(np.nanmedian(best)),
        within=float(least.mean()),
        loss=float(lowest_of_all.mean()),
    )


def _inside(width: int, activation: str, lowest: float) -> Iterator[Any]:
    """Yield answers that the activation can give, one for each column."""
    rng = np.random.default_rng(0)
    if activation == "softmax":
        yield np.full(width, 1 / width)
        yield from np.eye(width)[:MOST_CORNERS]
        yield from rng.dirichlet(np.ones(width), DRAWN)
        return
    for value in np.linspace(lowest, 1.0, 5):
        yield np.full(width, value)
    yield from rng.uniform(lowest, 1.0, (DRAWN, width))
