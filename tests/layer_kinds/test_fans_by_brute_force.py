"""Fans, against the connections that layers really have, counted one by one."""

import itertools

import keras
import numpy as np
import pytest

from keras_dlbasic._keras.fans import kernel_fans

L = keras.layers


def connections(layer, shape):
    """Return which inputs reach which outputs: `[*inputs, *outputs]`, booleans."""
    layer.build((None, *shape))
    for variable in layer.weights:
        is_bias = variable.name == "bias"
        variable.assign(np.full(variable.shape, 0.0 if is_bias else 1.0, "float32"))
    n = int(np.prod(shape))
    # One input at a time, with all weights one: an output that is not zero is reached.
    probes = np.eye(n, dtype="float32").reshape(n, *shape)
    outputs = keras.ops.convert_to_numpy(layer(probes))
    return (outputs != 0).reshape(*shape, *outputs.shape[1:])


def middle(length, step):
    """Return places away from both edges, a whole number of strides of them."""
    n = step * max(1, length // (3 * step))
    start = (length - n) // 2
    return slice(start, start + n)


def counted(layer, shape, strides):
    """Return the mean fan-in and fan-out away from the edges."""
    reached = connections(layer, shape)
    n = len(shape)
    space = range(n - 1)
    inputs = tuple(middle(shape[axis], strides[axis]) for axis in space)
    sizes = reached.shape[n:-1]
    outputs = tuple(middle(sizes[axis], strides[axis]) for axis in space)
    fan_in = reached.sum(axis=tuple(range(n)))[(*outputs, slice(None))]
    fan_out = reached.sum(axis=tuple(range(n, 2 * n)))[(*inputs, slice(None))]
    return fan_in.mean(), fan_out.mean()


def check(layer, shape, strides):
    fan_in, fan_out = counted(layer, shape, strides)
    fans = kernel_fans(layer)[0]
    assert (fans.fan_in, fans.fan_out) == pytest.approx((fan_in, fan_out))


@pytest.mark.once
@pytest.mark.parametrize(
    ("strides", "dilation"),
    [(1, 1), (1, 2), (2, 1), (3, 1)],  # Keras allows one of both
)
def test_convolutions_along_a_line(strides, dilation):
    for groups, padding in itertools.product((1, 2), ("same", "valid", "causal")):
        layer = L.Conv1D(4, 3, strides, padding, dilation_rate=dilation, groups=groups)
        check(layer, (36, 2), [strides])


@pytest.mark.once
@pytest.mark.parametrize("padding", ["same", "valid"])
@pytest.mark.parametrize("strides", [(1, 1), (2, 2), (3, 1), (4, 4)])
def test_layers_on_pictures(padding, strides):
    shape = (20, 20, 1) if strides == (4, 4) else (14, 14, 2)
    check(L.Conv2D(3, (3, 2), strides, padding), shape, strides)
    check(L.Conv2DTranspose(3, (3, 4), strides, padding), shape, strides)
    square = (strides[0], strides[0])  # others are refused by some backends
    check(L.DepthwiseConv2D(3, square, padding, depth_multiplier=2), shape, square)
    separable = L.SeparableConv2D(5, 3, square, padding)
    separable.build((None, *shape))
    depthwise, pointwise = kernel_fans(separable)
    alone = L.DepthwiseConv2D(3, square, padding)
    expected = counted(alone, shape, square)
    assert (depthwise.fan_in, depthwise.fan_out) == pytest.approx(expected)
    assert (pointwise.fan_in, pointwise.fan_out) == (shape[-1], 5)


@pytest.mark.once
def test_the_other_layers_with_windows():
    check(L.Conv1DTranspose(3, 5, 2), (20, 2), [2])
    check(L.Conv1DTranspose(3, 3, dilation_rate=2), (20, 2), [1])
    check(L.DepthwiseConv1D(5, 2), (30, 2), [2])
    check(L.Conv3D(2, 2, 2), (6, 6, 6, 1), [2, 2, 2])
    check(L.Conv3DTranspose(2, 2, 2), (4, 4, 4, 1), [2, 2, 2])


@pytest.mark.once
def test_layers_without_windows():
    for layer in (L.Dense(5), L.EinsumDense("bi,ijk->bjk", (2, 4))):
        reached = connections(layer, (3,)).reshape(3, -1)
        fans = kernel_fans(layer)[0]
        assert (reached.sum(axis=0) == fans.fan_in).all()
        assert (reached.sum(axis=1) == fans.fan_out).all()


@pytest.mark.once
def test_a_strided_network_is_drawn_by_the_outputs_it_reaches():
    import keras_dlbasic as kd

    layers = [L.Conv2D(48, 3, 2, "same", activation="tanh"), L.Flatten(), L.Dense(2)]
    model = keras.Sequential([keras.Input((8, 8, 4)), *layers])
    model.compile("sgd", "mse")
    new = kd.remedies.initialize(model, seed=0)
    kernel = keras.ops.convert_to_numpy(new.layers[0].kernel)
    assert kernel.std() == pytest.approx(np.sqrt(2 / (36 + 48 * 9 / 4)), rel=0.05)
    images = np.random.default_rng(0).normal(size=(8, 8, 8, 4)).astype("float32")
    signal = kd.propagation_report(new, images).layers[0]
    assert signal.kernel_scale == pytest.approx(1, rel=0.05)
