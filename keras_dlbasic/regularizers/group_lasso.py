"""GroupLasso."""

from __future__ import annotations

import math
from typing import Any

import keras
from keras import ops

from keras_dlbasic._wrong_arguments import names_nearest
from keras_dlbasic.regularizers.factor import check_factor, summable

SMALLEST_SQUARE = 1e-37
"""Units whose squared norm is smaller count as zero; float32 ends near there."""


@names_nearest
@keras.saving.register_keras_serializable(package="keras_dlbasic")
class GroupLasso(keras.regularizers.Regularizer):
    """The penalty `factor * sqrt(n) * sum over units of ||w_unit||`.

    All weights into a unit form a group (of `n` weights). The L2 norm of the group, not
    squared, is penalized. So all weights of a unit that is not needed shrink to near
    zero together; other units stay. `remedies.prune_units` then removes the unneeded
    units from the model. Plain gradient steps give norms near zero, not exact zeros:
    near zero the step has the constant length `learning_rate * factor * sqrt(n)` and
    overshoots. The gradient is always finite: for a unit whose weights are all zero it
    is set to zero, which is a subgradient.

    Args:
        factor: The strength lambda. Defaults to `0.01`.
        axis: The axis of the units in the kernel. Defaults to `-1`: the outputs of
            `Dense` and convolutions. `0` groups by input feature.

    Raises:
        ValueError: If `factor` is negative or not finite, `axis` is no integer, or the
            kernel has no such axis.

    Reference:
        Yuan & Lin (2006), Model selection and estimation in regression with grouped
        variables.

    Example:
    >>> import numpy as np
    >>> import keras_dlbasic as kd
    >>> penalty = kd.regularizers.GroupLasso(1.0)
    >>> round(float(penalty(np.array([[3.0, 0.0], [4.0, 0.0]]))), 4)  # 5 * sqrt(2)
    7.0711
    """

    def __init__(self, factor: float = 0.01, axis: int = -1) -> None:
        self.factor = check_factor(factor, "factor")
        if isinstance(axis, bool) or not isinstance(axis, int):
            raise ValueError(
                "`axis` must be an integer, the axis of the kernel that counts its "
                f"units. Received: axis={axis!r}"
            )
        self.axis = axis

    def __call__(self, x: Any) -> Any:  # noqa: D102
        rank = len(x.shape)
        if not -rank <= self.axis < rank:
            raise ValueError(
                f"GroupLasso(axis={self.axis}) was given a weight of shape "
                f"{tuple(x.shape)}, which has no such axis. Expected an axis from "
                f"{-rank} to {rank - 1}."
            )
        unit_axis = self.axis % rank
        others = tuple(axis for axis in range(rank) if axis != unit_axis)
        size = math.prod(x.shape[axis] for axis in others)
        x = summable(x)
        squares = ops.sum(ops.square(x), axis=others) if others else ops.square(x)
        # the root's slope is infinite at zero; below the bound it is cut off
        norms = ops.sqrt(ops.maximum(squares, SMALLEST_SQUARE))
        return (self.factor * math.sqrt(size)) * ops.sum(norms)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of the constructor."""
        return {"factor": self.factor, "axis": self.axis}
