"""The largest curvature that an optimizer bears."""

from __future__ import annotations

import math
from typing import Any

import keras


def learning_rate_of(model: Any) -> float:
    """Return the current learning rate of a model.

    NaN without an optimizer, and where a function of the user's gives the rate: one
    more call could change what it gives next.
    """
    optimizer = getattr(model, "optimizer", None)
    inner = optimizer
    while isinstance(inner, keras.optimizers.LossScaleOptimizer):
        inner = inner.inner_optimizer
    rate = getattr(inner, "_learning_rate", None)
    known = (keras.Variable, keras.optimizers.schedules.LearningRateSchedule)
    if optimizer is None or (callable(rate) and not isinstance(rate, known)):
        return math.nan
    return float(keras.ops.convert_to_numpy(optimizer.learning_rate))


def stability_limit(model: Any) -> float:
    """Return the curvature beyond which gradient descent swings up.

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
    rate = learning_rate_of(model)
    return 2 * (1 + float(optimizer.momentum)) / rate if rate > 0 else math.nan
