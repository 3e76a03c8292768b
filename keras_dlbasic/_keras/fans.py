"""The true fan-in and fan-out of the kernels of each kind of layer."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import keras

from keras_dlbasic._keras.shape_fans import compute_fans


@dataclass(frozen=True)
class KernelFans:
    """A kernel and how many units it connects.

    Attributes:
        variable: The Keras variable.
        fan_in: Number of weighted inputs that a unit sums up, on average.
        fan_out: Number of units that an input goes to, on average.
        is_recurrent: Whether the kernel leads from a layer's state to itself.
    """

    variable: Any
    fan_in: float
    fan_out: float
    is_recurrent: bool = False


def kernel_fans(layer: Any) -> list[KernelFans]:
    """Return the fans of the kernels that a built layer owns itself.

    Kernels of the user's own layers are known by their name, `kernel`, and read by
    their shape. What is no kernel (biases, scales, ...) is not among them.
    """
    if type(layer).__name__ == "ConvLSTMCell":  # has no public name
        return list(_recurrent(4)(layer))
    for kinds, fans_of in _KINDS:
        if isinstance(layer, kinds):
            return [fans for fans in fans_of(layer) if fans.variable is not None]
    kernel = getattr(layer, "kernel", None)
    if isinstance(kernel, keras.Variable) and len(kernel.shape) > 1:
        return [KernelFans(kernel, *compute_fans(kernel.shape))]
    return []


def model_kernels(model: Any) -> Iterator[tuple[Any, KernelFans]]:
    """Yield each kernel of a model once, with the layer that owns it."""
    seen = set()
    for layer in model._flatten_layers():
        if not getattr(layer, "built", False):
            continue
        for fans in kernel_fans(layer):
            if id(fans.variable) not in seen:
                seen.add(id(fans.variable))
                yield layer, fans


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
    sizes = dict(zip(weights, kernel.shape, strict=True))
    fan_in = math.prod(n for axis, n in sizes.items() if axis not in output)
    fan_out = math.prod(n for axis, n in sizes.items() if axis not in inputs)
    yield KernelFans(kernel, fan_in, fan_out)


def _convolution(layer: Any) -> Iterator[KernelFans]:
    kernel = _kernel(layer)
    fan_in, fan_out = compute_fans(kernel.shape)  # the shape has inputs per group
    yield KernelFans(kernel, fan_in, fan_out / layer.groups)


def _transposed(layer: Any) -> Iterator[KernelFans]:
    kernel = _kernel(layer)
    *window, outputs, inputs = kernel.shape
    # with strides, the window of an output falls between the inputs
    reached = math.prod(window) / math.prod(layer.strides)
    yield KernelFans(kernel, reached * inputs, math.prod(window) * outputs)


def _depthwise(layer: Any) -> Iterator[KernelFans]:
    yield _per_channel(_kernel(layer))


def _separable(layer: Any) -> Iterator[KernelFans]:
    yield _per_channel(layer.depthwise_kernel)
    pointwise = layer.pointwise_kernel
    yield KernelFans(pointwise, *compute_fans(pointwise.shape))


def _per_channel(kernel: Any) -> KernelFans:
    *window, _, multiplier = kernel.shape
    return KernelFans(kernel, math.prod(window), math.prod(window) * multiplier)


def _embedding(layer: Any) -> Iterator[KernelFans]:
    kernel = layer._embeddings
    yield KernelFans(kernel, 1, kernel.shape[-1])  # a unit gets one row, not a sum


def _recurrent(n_gates: int) -> Callable[[Any], Iterator[KernelFans]]:
    def fans_of(layer: Any) -> Iterator[KernelFans]:
        for name in ("kernel", "recurrent_kernel"):
            kernel = getattr(layer, name)
            fan_in, fan_out = compute_fans(kernel.shape)
            recurrent = name != "kernel"
            yield KernelFans(kernel, fan_in, fan_out / n_gates, recurrent)

    return fans_of


def _classes(*names: str) -> tuple[type, ...]:
    return tuple(getattr(keras.layers, n) for n in names if hasattr(keras.layers, n))


_KINDS: tuple[tuple[Any, Callable[[Any], Iterator[KernelFans]]], ...] = (
    (_classes("Conv1DTranspose", "Conv2DTranspose", "Conv3DTranspose"), _transposed),
    (_classes("DepthwiseConv1D", "DepthwiseConv2D"), _depthwise),
    (_classes("SeparableConv1D", "SeparableConv2D"), _separable),
    (_classes("Conv1D", "Conv2D", "Conv3D"), _convolution),
    (_classes("EinsumDense"), _einsum),
    (_classes("Embedding"), _embedding),
    (_classes("LSTMCell"), _recurrent(4)),
    (_classes("GRUCell"), _recurrent(3)),
    (_classes("SimpleRNNCell"), _recurrent(1)),
    (_classes("Dense"), _dense),
)
