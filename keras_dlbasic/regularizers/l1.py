"""L1."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from keras_dlbasic._wrong_arguments import names_nearest
from keras_dlbasic.regularizers.factor import check_factor, summable


@names_nearest
@keras.saving.register_keras_serializable(package="keras_dlbasic")
class L1(keras.regularizers.Regularizer):
    """The penalty `l1 * sum(abs(w))`.

    The formula is that of `keras.regularizers.L1`, so you can use either;
    `PenaltyMonitor` works with both. At a weight of exactly zero, the gradient is 0 on
    TensorFlow and PyTorch, and `+l1` on JAX. Plain gradient steps do not give exact
    zeros: small weights oscillate around zero by about the learning rate times `l1`.

    Args:
        l1: The strength lambda. Defaults to `0.01`.

    Raises:
        ValueError: If `l1` is negative or not a finite number.

    Example:
    >>> import numpy as np
    >>> import keras_dlbasic as kd
    >>> float(kd.regularizers.L1(0.5)(np.array([1.0, -3.0])))
    2.0
    """

    def __init__(self, l1: float = 0.01) -> None:
        self.l1 = check_factor(l1, "l1")

    def __call__(self, x: Any) -> Any:  # noqa: D102
        return self.l1 * ops.sum(ops.abs(summable(x)))

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of the constructor."""
        return {"l1": self.l1}
