"""When to stop, from the curves: the criteria of Prechelt (1998)."""

from __future__ import annotations

import numpy as np


def generalization_loss(val_errors: np.ndarray) -> float:
    """Return GL: by how many percent the last error is above the lowest so far.

    `GL(t) = 100 * (E_val(t) / min E_val - 1)`, from L. Prechelt, "Early stopping - but
    when?", in "Neural networks: tricks of the trade", 1998.

    Args:
        val_errors: Validation errors so far, positive.

    Example:
    >>> from keras_dlbasic.analysis.overfitting.prechelt import generalization_loss
    >>> generalization_loss([4.0, 2.0, 2.5])
    25.0
    """
    errors = np.asarray(val_errors, np.float64)
    return float(100 * (errors[-1] / errors.min() - 1))


def training_progress(errors: np.ndarray, *, strip_length: int = 5) -> float:
    """Return P: by how many permille the last strip's mean is above its lowest error.

    `P_k(t) = 1000 * (mean of the last k / min of the last k - 1)`, from the same text.

    Args:
        errors: Training errors so far, positive.
        strip_length: Epochs in a strip, `k`. Defaults to `5`.

    Example:
    >>> from keras_dlbasic.analysis.overfitting.prechelt import training_progress
    >>> training_progress([9.0, 3.0, 2.0, 1.0], strip_length=3)
    1000.0
    """
    strip = np.asarray(errors, np.float64)[-strip_length:]
    return float(1000 * (strip.mean() / strip.min() - 1))


def rising_strips(val_errors: np.ndarray, *, strip_length: int = 5) -> int:
    """Return UP: at how many ends of strips in a row the error had risen, up to now.

    Strips end after every `strip_length` epochs; the error at the end of one is
    compared with that at the end of the one before, from the same text.

    Args:
        val_errors: Validation errors so far.
        strip_length: Epochs in a strip. Defaults to `5`.

    Example:
    >>> from keras_dlbasic.analysis.overfitting.prechelt import rising_strips
    >>> rising_strips([3.0, 1.0, 1.0, 2.0, 2.0, 3.0], strip_length=2)
    2
    """
    ends = np.asarray(val_errors, np.float64)[strip_length - 1 :: strip_length]
    rises = (np.diff(ends) > 0)[::-1]
    return int(len(rises) if rises.all() else np.argmin(rises))
