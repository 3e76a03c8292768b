"""Fan-in and fan-out: the true ones of each kind of layer, and those of a shape."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import keras

from keras_dlbasic._keras.graph import all_layers
from keras_dlbasic._keras.layer_kinds import core_of, kind_of

Axes = Sequence[int] | None


@dataclass(frozen=True)
class KernelFans:
    """A kernel and how many units it connects.

    Attributes:
        variable: The Keras variable.
        fan_in: Number of weighted inputs that a unit sums up, on average.
        fan_out: Number of units that an input goes to, on average: with strides only
            some places of the window reach an output. Edges are left out.
        is_recurrent: Whether the kernel leads from a layer's state to itself.
    """

    variable: Any
    fan_in: float
    fan_out: float
    is_recurrent: bool = False


def kernel_fans(layer: Any) -> list[KernelFans]:
    """Return the fans of the kernels that a built layer, or the one it wraps, owns.

    Kernels of the user's own layers are known by their name, `kernel`, and read by
    their shape. What is no kernel (biases, scales, ...) is not among them.
    """
    layer = core_of(layer)
    how = kind_of(layer).fans
    if how is not None:
        return [fans for fans in _FANS[how](layer) if fans.variable is not None]
    kernel = getattr(layer, "kernel", None)
    if isinstance(kernel, keras.Variable) and len(kernel.shape) > 1:
        return [KernelFans(kernel, *compute_fans(kernel.shape))]
    return []


def model_kernels(model: Any) -> Iterator[tuple[Any, KernelFans]]:
    """Yield each kernel of a model once, with the layer that owns it."""
    seen = set()
    for layer in all_layers(model):
        if not getattr(layer, "built", False):
            continue
        for fans in kernel_fans(layer):
            if id(fans.variable) not in seen:
                seen.add(id(fans.variable))
                yield core_of(layer), fans


def _kernel(layer: Any, name: str = "kernel") -> Any:
    # quantized and LoRA layers hide theirs behind a property that computes
    hidden = getattr(layer, f"_{name}", None)
    return getattr(layer, name, None) if hidden is None else hidden


def _dense(layer: Any) -> Iterator[KernelFans]:
    kernel = _kernel(layer)
    yield KernelFans(kernel, *compute_fans(kernel.shape))


def _einsum(layer: Any) -> Iterator[KernelFans]:
    kernel = _kernel(layer)
    operands, output = layer.equation.replace(" ", "").split("->")
    inputs, weights = operands.split(",")
    # An axis of the kernel that the output lacks is summed over: it leads in. One that
    # the inputs lack is new: it leads out.
    sizes = dict(zip(weights, kernel.shape, strict=True))
    fan_in = math.prod(n for axis, n in sizes.items() if axis not in output)
    fan_out = math.prod(n for axis, n in sizes.items() if axis not in inputs)
    yield KernelFans(kernel, fan_in, fan_out)


def _convolution(layer: Any) -> Iterator[KernelFans]:
    kernel = _kernel(layer)
    fan_in, fan_out = compute_fans(kernel.shape)  # the shape has inputs per group
    # A window of n inputs that moves by s at once passes over each input n / s times.
    yield KernelFans(kernel, fan_in, fan_out / layer.groups / math.prod(layer.strides))


def _transposed(layer: Any) -> Iterator[KernelFans]:
    kernel = _kernel(layer)
    *window, outputs, inputs = kernel.shape
    # with strides, the window of an output falls between the inputs
    reached = math.prod(window) / math.prod(layer.strides)
    yield KernelFans(kernel, reached * inputs, math.prod(window) * outputs)


def _depthwise(layer: Any) -> Iterator[KernelFans]:
    yield _per_channel(layer, _kernel(layer))


def _separable(layer: Any) -> Iterator[KernelFans]:
    yield _per_channel(layer, layer.depthwise_kernel)
    pointwise = layer.pointwise_kernel
    yield KernelFans(pointwise, *compute_fans(pointwise.shape))


def _per_channel(layer: Any, kernel: Any) -> KernelFans:
    # Each channel has filters of its own, so only the window adds up in a unit.
    *window, _, multiplier = kernel.shape
    reached = math.prod(window) / math.prod(layer.strides)
    return KernelFans(kernel, math.prod(window), reached * multiplier)


def _embedding(layer: Any) -> Iterator[KernelFans]:
    kernel = layer._embeddings
    yield KernelFans(kernel, 1, kernel.shape[-1])  # a unit gets one row, not a sum


def _recurrent(n_gates: int) -> Callable[[Any], Iterator[KernelFans]]:
    def fans_of(layer: Any) -> Iterator[KernelFans]:
        for name in ("kernel", "recurrent_kernel"):
            kernel = getattr(layer, name)
            fan_in, fan_out = compute_fans(kernel.shape)
            recurrent = name != "kernel"
            # the gates stand side by side in one kernel, but each is a layer of its own
            yield KernelFans(kernel, fan_in, fan_out / n_gates, recurrent)

    return fans_of


_FANS: dict[str, Callable[[Any], Iterator[KernelFans]]] = {
    "dense": _dense,
    "einsum": _einsum,
    "convolution": _convolution,
    "transposed": _transposed,
    "depthwise": _depthwise,
    "separable": _separable,
    "embedding": _embedding,
    "one gate": _recurrent(1),
    "three gates": _recurrent(3),
    "four gates": _recurrent(4),
}
"""By `LayerKind.fans`."""


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
    >>> from keras_dlbasic._keras.fans import compute_fans
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
