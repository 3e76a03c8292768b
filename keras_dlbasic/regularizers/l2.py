"""L2."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from keras_dlbasic._wrong_arguments import names_nearest
from keras_dlbasic.regularizers.factor import check_factor, summable


@names_nearest
@keras.saving.register_keras_serializable(package="keras_dlbasic")
class L2(keras.regularizers.Regularizer):
    """The penalty `1/2 * l2 * sum(w**2)`; Keras' class of the same name has no 1/2.

    With the 1/2 the gradient is `l2 * w`: each plain gradient step shrinks a weight by
    the factor `1 - learning_rate * l2`, which is weight decay. `L2(0.02)` here is the
    same as `keras.regularizers.L2(0.01)`. With adaptive optimizers such as Adam, an L2
    penalty and weight decay differ: for decoupled weight decay use the optimizer's own
    `weight_decay`.

    Args:
        l2: The strength lambda. Defaults to `0.01`.

    Raises:
        ValueError: If `l2` is negative or not a finite number.

    Example:
    >>> import numpy as np
    >>> import keras_dlbasic as kd
    >>> float(kd.regularizers.L2(0.5)(np.array([1.0, -3.0])))
    2.5
    """

    def __init__(self, l2: float = 0.01) -> None:
        self.l2 = check_factor(l2, "l2")

    def __call__(self, x: Any) -> Any:  # noqa: D102
        return (0.5 * self.l2) * ops.sum(ops.square(summable(x)))

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of the constructor."""
        return {"l2": self.l2}
