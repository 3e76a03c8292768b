"""Whether rows are windows of one long sequence."""

from __future__ import annotations

import numpy as np

LEAST_STEPS = 6
MOST_SHIFT = 8
ENOUGH = 0.3
"""Share of the rows that go on in another row."""

MOST_ROWS, MOST_BYTES = 20_000, 2**24


def are_windows(x: np.ndarray) -> bool:
    """Return whether many rows go on in another row, some steps later.

    So do windows that were cut from one text, character by character or word by word.
    Where the text says a thing twice, windows are the same with nobody copying them.

    Args:
        x: Inputs, `[n, steps, ...]`.

    Example:
    >>> import numpy as np
    >>> from keras_dlbasic.inspection.are_windows import are_windows
    >>> text = np.random.default_rng(0).integers(0, 30, 400)
    >>> are_windows(np.stack([text[i : i + 10] for i in range(380)]))
    True
    >>> are_windows(text.reshape(-1, 10))
    False
    """
    if x.ndim < 2 or x.shape[1] < LEAST_STEPS or not len(x):
        return False
    rows = x[: max(1, min(MOST_ROWS, MOST_BYTES // max(1, x[:1].nbytes)))]
    rows = np.ascontiguousarray(rows)
    # The window that starts `shift` steps later begins with the last steps of this one.
    # Rows whose steps are all the same are left out, since those match by chance.
    for shift in range(1, min(MOST_SHIFT, x.shape[1] // 2) + 1):
        heads, tails = rows[:, :-shift], rows[:, shift:]
        varies = (tails[:, 1:] != tails[:, :-1]).reshape(len(rows), -1).any(axis=1)
        known = {head.tobytes() for head in heads}
        goes_on = [tail.tobytes() in known for tail in tails]
        if np.mean(varies & np.array(goes_on)) > ENOUGH:
            return True
    return False
