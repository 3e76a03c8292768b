"""L1L2."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from keras_dlbasic._wrong_arguments import names_nearest
from keras_dlbasic.regularizers.factor import check_factor, summable


@names_nearest
@keras.saving.register_keras_serializable(package="keras_dlbasic")
class L1L2(keras.regularizers.Regularizer):
    """The penalty `l1 * sum(abs(w)) + 1/2 * l2 * sum(w**2)`; Keras' has no 1/2.

    Args:
        l1: Factor of the L1 part. Defaults to `0.0`.
        l2: Factor of the L2 part. Defaults to `0.0`.

    Raises:
        ValueError: If a factor is negative or not a finite number.

    Example:
    >>> import numpy as np
    >>> import keras_dlbasic as kd
    >>> float(kd.regularizers.L1L2(l1=0.5, l2=0.5)(np.array([1.0, -3.0])))
    4.5
    """

    def __init__(self, l1: float = 0.0, l2: float = 0.0) -> None:
        self.l1 = check_factor(l1, "l1")
        self.l2 = check_factor(l2, "l2")

    def __call__(self, x: Any) -> Any:  # noqa: D102
        x = summable(x)
        penalties = []
        if self.l1:
            penalties.append(self.l1 * ops.sum(ops.abs(x)))
        if self.l2:
            penalties.append((0.5 * self.l2) * ops.sum(ops.square(x)))
        if not penalties:
            return ops.zeros((), dtype=x.dtype)
        return sum(penalties[1:], penalties[0])

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of the constructor."""
        return {"l1": self.l1, "l2": self.l2}
