"""The checks of arguments that the layers share."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from keras_dlbasic._arguments import is_number


def check_axes(layer: Any, axes: Sequence[int], input_shape: Any) -> None:
    """Check that an input has the axes that a layer normalizes.

    Raises:
        ValueError: If it has not, or if their lengths are not known.
    """
    shape = tuple(input_shape)
    about = (
        f"{type(layer).__name__} '{layer.name}' with axis={layer.axis} was given an "
        f"input of shape {shape}"
    )
    for axis in axes:
        if not -len(shape) <= axis < len(shape):
            raise ValueError(
                f"{about}, which has no axis {axis}. Expected an axis from 1 to "
                f"{len(shape) - 1}, or -1 for the last one."
            )
        if axis % len(shape) == 0:
            raise ValueError(
                f"{about}: axis {axis} is that of the samples, which has no features. "
                "Expected the axis of the channels or features, usually -1."
            )
        if shape[axis] is None:
            raise ValueError(
                f"{about}, whose axis {axis} has no fixed length. Give `keras.Input` "
                "that length."
            )


def check_epsilon(epsilon: Any) -> None:
    """Check what is added to the variance.

    Raises:
        ValueError: If it is negative or no finite number.
    """
    if not is_number(epsilon) or not 0 <= epsilon < math.inf:
        raise ValueError(
            "`epsilon` is added to the variance and must be a finite number that is "
            f"not negative. Received: epsilon={epsilon!r}"
        )
