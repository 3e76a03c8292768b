"""The largest curvature that an optimizer bears."""

from __future__ import annotations

import math
from typing import Any

from keras_dlbasic._keras.optimizer import current_learning_rate


def stability_limit(model: Any) -> float:
    """Return the curvature beyond which gradient descent diverges.

    That is `2 / learning_rate`, with heavy-ball momentum `2 (1 + momentum) /
    learning_rate`. Other optimizers rescale the gradient, and the Hessian's eigenvalues
    are not what limits them: NaN.

    Reference:
        Cohen et al. (2021), Gradient descent on neural networks typically occurs at the
        edge of stability.
    """
    optimizer: Any = getattr(model, "optimizer", None)
    if type(optimizer).__name__ != "SGD" or optimizer.nesterov:
        return math.nan
    rate = current_learning_rate(optimizer)
    return 2 * (1 + float(optimizer.momentum)) / rate if rate > 0 else math.nan
