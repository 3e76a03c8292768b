"""How far moving averages are from the statistics of a batch."""

from __future__ import annotations

import numpy as np

MEASURES = ("mean_drift", "variance_ratio", "largest_mean_drift")
"""What `normalization_drift` gives."""

Moments = tuple[np.ndarray, np.ndarray]


def normalization_drift(
    before: Moments, after: Moments, momentum: float
) -> dict[str, float]:
    """Compare the statistics of a batch with the moving averages it met.

    The batch's own follow from `after = momentum * before + (1 - momentum) * batch`.

    Args:
        before: Moving mean and variance before the step, one entry per channel.
        after: The same after it.
        momentum: The layer's, to the power of the number of steps in between.

    Returns:
        `"mean_drift"`: root mean square over channels of the difference of the means,
        in standard deviations of the moving average; `"largest_mean_drift"`: the
        largest; `"variance_ratio"`: geometric mean over channels of batch variance /
        moving variance. 0, 0 and 1 where training and inference agree.

    Example:
    >>> import numpy as np
    >>> from keras_dlbasic.analysis.activations.normalization_drift import (
    ...     normalization_drift,
    ... )
    >>> before, after = (np.zeros(1), np.ones(1)), (np.full(1, 0.02), np.ones(1))
    >>> round(normalization_drift(before, after, momentum=0.99)["mean_drift"], 6)
    2.0
    """
    mean, variance = (
        (new - momentum * old) / (1 - momentum)
        for old, new in zip(before, after, strict=True)
    )
    scale = np.sqrt(np.maximum(before[1], 1e-12))
    drift = np.abs(mean - before[0]) / scale
    # Logarithms are averaged, so that half and twice the variance are equally far off.
    ratio = np.maximum(variance, 1e-12) / np.maximum(before[1], 1e-12)
    return {
        "mean_drift": float(np.sqrt(np.mean(drift**2))),
        "variance_ratio": float(np.exp(np.mean(np.log(ratio)))),
        "largest_mean_drift": float(drift.max()),
    }
