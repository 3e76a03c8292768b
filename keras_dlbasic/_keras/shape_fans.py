"""Fan-in and fan-out of a kernel, from its shape."""

from __future__ import annotations

import math
from collections.abc import Sequence

Axes = Sequence[int] | None


def compute_fans(
    shape: Sequence[int], input_axes: Axes = None, output_axes: Axes = None
) -> tuple[int, int]:
    """Return the fan-in and fan-out of a kernel.

    Args:
        shape: Shape of the kernel. Without axes it is read as that of a dense kernel,
            `(inputs, outputs)`, or of an ordinary convolution,
            `(*window, inputs, outputs)`.
        input_axes: The axes whose product is the fan-in. Defaults to None.
        output_axes: The axes whose product is the fan-out. Defaults to None.

    Raises:
        ValueError: If an axis is not one of the shape.

    Example:
    >>> from keras_dlbasic._keras.shape_fans import compute_fans
    >>> compute_fans((3, 3, 16, 32))
    (144, 288)
    >>> compute_fans((64, 4, 16), input_axes=[0], output_axes=[1, 2])
    (64, 64)
    """
    shape = tuple(int(n) for n in shape)
    if input_axes is not None and output_axes is not None:
        return _product(shape, input_axes), _product(shape, output_axes)
    if len(shape) < 2:
        n = shape[0] if shape else 1
        return n, n
    window = math.prod(shape[:-2])
    return window * shape[-2], window * shape[-1]


def as_axes(axes: Axes, name: str) -> list[int] | None:
    """Return `axes` as a list.

    Raises:
        ValueError: If it is neither None nor a sequence of integers.
    """
    if axes is None:
        return None
    try:
        return [int(axis) for axis in axes]
    except TypeError as error:
        raise ValueError(
            f"`{name}` must be None or a sequence of integers, the axes of the kernel. "
            f"Received: {name}={axes!r}"
        ) from error


def _product(shape: tuple[int, ...], axes: Sequence[int]) -> int:
    wrong = [axis for axis in axes if not -len(shape) <= axis < len(shape)]
    if wrong:
        raise ValueError(
            f"Axis {wrong[0]} is not one of a kernel of shape {shape}. Received: "
            f"axes {list(axes)}; expected axes from 0 to {len(shape) - 1}."
        )
    return math.prod(shape[axis] for axis in axes)
