"""Whether a loss looks at its targets."""

from __future__ import annotations

from typing import Any

import numpy as np

from keras_dlbasic.inspection.baseline import sample_losses


def reads_targets(
    loss: Any, targets: np.ndarray, shape: tuple[int, ...]
) -> bool | None:
    """Return whether a loss changes with the targets that it is given.

    Losses that compare outputs with each other, such as a triplet loss, get targets
    since `fit` wants some, and ignore them. Of these targets nothing can be learned,
    and nothing need be.

    Args:
        loss: As for `sample_losses`.
        targets: Targets, samples first.
        shape: Shape of the model's outputs for these rows.

    Returns:
        None if that is not known: the loss takes no other targets, or fails.

    Example:
    >>> import numpy as np
    >>> from keras import ops
    >>> from keras_dlbasic.inspection.reads_targets import reads_targets
    >>> reads_targets(lambda y, out: ops.mean(out, axis=-1), np.zeros((8, 1)), (8, 4))
    False
    """
    # zeros and ones are targets for most losses; the rows differ, so do the outputs
    others = np.broadcast_to(
        (np.arange(len(targets)) % 2).reshape(-1, *[1] * (targets.ndim - 1)),
        targets.shape,
    ).astype(targets.dtype)
    outputs = np.random.default_rng(0).random(shape).astype("float32")
    try:
        given = [sample_losses(loss, y, outputs) for y in (targets, others, 1 - others)]
    except Exception:  # a user's loss, which need not take other targets
        return None
    if not all(np.isfinite(losses).all() for losses in given):
        return None
    return any(not np.array_equal(given[0], losses) for losses in given[1:])
