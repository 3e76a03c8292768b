"""What a window of a series tells, alone and with the steps before it."""

from __future__ import annotations

import numpy as np

from keras_dlbasic.records.data_facts import WindowFacts

MOST_ROWS = 2000
"""Of more rows the last ones in a row are used."""

LEAST_ROWS = 100
MOST_FEATURES, MOST_COLUMNS = 256, 16
EARLIER = 12
"""Number of steps before the window that the second predictor gets, at least."""

MOST_STRIDE = 8
ALIKE = 0.95
"""At least this share of the rows goes on where the row before ended."""

CHANGING = 0.5
"""Share of the rows whose last step is not that of the row before."""

FEW = 64
"""Number of rows that are compared first: these show data that are no windows."""

EXACT = 1e-4
"""What is left of targets, beside their spread, if they are a later input, scaled."""

TRAINED = 0.6
"""Share of the rows that predictors are fitted to; the others come later."""

RIDGES = (1e-3, 1e-1, 10.0)
BLOCKS = 10


def window_facts(x: np.ndarray, y: np.ndarray) -> WindowFacts | None:
    """Score a linear predictor of windows, and one that gets the steps before them too.

    The rows must be windows of a series in the order of time: the inputs of a row go
    on where those of the row before ended, or the target of a row is a later input.
    Predictors are fitted to the first rows and scored on the last ones.

    Args:
        x: Inputs: `[n, steps]`, `[n, steps, features]`, or a step each, `[n, features]`
            or `[n]`.
        y: Targets, `[n]` or `[n, columns]`.

    Returns:
        A `WindowFacts`; None if rows are no such windows, or are not known to be.

    Example:
    >>> import numpy as np
    >>> from keras_dlbasic.inspection.window_facts import window_facts
    >>> curve = np.sin(0.8 * np.arange(301.0))[:, None]
    >>> found = window_facts(curve[:-1], curve[1:])
    >>> round(found.alone, 1), round(found.longer, 1)
    (0.5, 1.0)
    """
    if x.dtype.kind not in "iuf" or y.dtype.kind not in "iuf":
        return None
    n = len(x)
    if not 1 <= x.ndim <= 3 or y.ndim not in (1, 2) or len(y) != n or n < LEAST_ROWS:
        return None
    if not 0 < x[0].size <= MOST_FEATURES or not y[0].size:
        return None
    x, y = x[-MOST_ROWS:], y[-MOST_ROWS:]
    targets = y.reshape(len(y), -1)[:, :MOST_COLUMNS].astype(np.float64)
    found = _series(x.astype(np.float64), targets)
    if found is None:
        return None
    steps, stride, goes_on = found
    n_before = -(-EARLIER // stride)
    # each row that has `n_before` rows of its series before it
    before = np.convolve(goes_on, np.ones(n_before))[: len(goes_on)] == n_before
    own = np.flatnonzero(before)
    if len(own) < LEAST_ROWS:
        return None
    window = steps[own].reshape(len(own), -1)
    # what a row has that the next one has not
    earlier = [
        steps[own - back, :stride].reshape(len(own), -1)
        for back in range(1, n_before + 1)
    ]
    longer = np.hstack([window, *earlier])
    if longer.shape[1] > MOST_FEATURES or not np.isfinite(longer).all():
        return None
    targets = targets[own]
    if not np.isfinite(targets).all():
        return None
    by_window, by_both = (_scored(part, targets) for part in (window, longer))
    if by_window is None or by_both is None:
        return None
    (alone, errors), (with_them, fewer) = by_window, by_both
    gain = np.array([part.sum() for part in np.array_split(errors - fewer, BLOCKS)])
    spread = float(errors.sum() / max(1 - alone, 1e-12))
    return WindowFacts(
        steps=steps.shape[1],
        earlier=n_before * stride,
        alone=alone,
        longer=with_them,
        error=float(gain.std(ddof=1) * np.sqrt(BLOCKS) / spread),
    )


def _series(
    x: np.ndarray, targets: np.ndarray
) -> tuple[np.ndarray, int, np.ndarray] | None:
    """Return rows as `[n, steps, features]`, and how they go on; None if they do not.

    That is by how many steps each is later than the row before, and whether it goes on
    where that one ended.
    """
    flat = x.reshape(len(x), -1)
    tables = [flat[:, :, None], flat[:, ::-1, None]]  # also the latest step first
    for steps in tables if x.ndim < 3 else [x]:
        for stride in range(1, min(steps.shape[1] - 1, MOST_STRIDE) + 1):
            if not _goes_on(steps[:FEW], stride)[1]:
                continue
            goes_on, are_windows = _goes_on(steps, stride)
            if are_windows:
                return steps, stride, goes_on
    steps = flat[:, None, :] if x.ndim < 3 else x
    if steps.shape[1] <= MOST_STRIDE and _is_later(steps, targets):
        return steps, steps.shape[1], np.append(False, np.ones(len(x) - 1, bool))
    return None


def _goes_on(steps: np.ndarray, stride: int) -> tuple[np.ndarray, bool]:
    """Return which rows go on where the one before ended, and whether nearly all do."""
    varies = (steps[1:, -1] != steps[:-1, -1]).any(axis=-1)
    same = np.isclose(steps[1:, :-stride], steps[:-1, stride:], rtol=1e-5)
    goes_on = same.all(axis=(1, 2))
    # where nothing changes from step to step a row is the one before it
    are_windows = varies.mean() >= CHANGING and goes_on[varies].mean() >= ALIKE
    return np.append(False, goes_on), bool(are_windows)


def _is_later(steps: np.ndarray, targets: np.ndarray) -> bool:
    """Return whether a target is what the input has after the window, maybe scaled.

    The target of a window that begins where the one before ended is in a later row.
    """
    y = targets[:, 0]
    for shift in range(1, MOST_STRIDE + 1):
        for place in range(steps.shape[1]):
            for feature in range(min(steps.shape[2], MOST_COLUMNS)):
                later, target = steps[shift:, place, feature], y[:-shift]
                # of a slow series neighbors are nearly the same
                now = steps[:-shift, -1, feature]
                if _left(later, target) <= EXACT * _left(now, target):
                    return True
    return False


def _left(given: np.ndarray, target: np.ndarray) -> float:
    """Return what a line through one leaves of the other, as mean square."""
    spread = given - given.mean()
    size = float(spread @ spread)
    centered = target - target.mean()
    slope = float(spread @ centered) / size if size > 0 else 0.0
    return float(np.mean((centered - slope * spread) ** 2))


def _scored(
    features: np.ndarray, targets: np.ndarray
) -> tuple[float, np.ndarray] | None:
    """Return the skill on the later rows, and the squared error of each."""
    n_known = int(TRAINED * len(features))
    mean, spread = features[:n_known].mean(axis=0), features[:n_known].std(axis=0)
    used = spread > 0
    rows = (features - mean)[:, used] / spread[used]
    middle, size = targets[:n_known].mean(axis=0), targets[:n_known].std(axis=0)
    scaled = (targets - middle) / np.where(size > 0, size, 1.0)
    known, asked = rows[:n_known], rows[n_known:]
    # the strength is chosen within the known rows, the last of which come later too
    part = int(0.75 * n_known)
    tried = []
    for ridge in RIDGES:
        weights = _ridge(known[:part], scaled[:part], ridge)
        tried.append(
            float(((scaled[part:n_known] - known[part:] @ weights) ** 2).sum())
        )
    ridge = RIDGES[int(np.argmin(tried))]
    weights = _ridge(known, scaled[:n_known], ridge)
    errors = ((scaled[n_known:] - asked @ weights) ** 2).sum(axis=1)
    whole = float(((scaled[n_known:] - scaled[n_known:].mean(axis=0)) ** 2).sum())
    if not whole > 0:
        return None
    return 1 - float(errors.sum()) / whole, errors


def _ridge(rows: np.ndarray, targets: np.ndarray, ridge: float) -> np.ndarray:
    gram = rows.T @ rows
    gram[np.diag_indices_from(gram)] += ridge
    weights: np.ndarray = np.linalg.solve(gram, rows.T @ targets)
    return weights
