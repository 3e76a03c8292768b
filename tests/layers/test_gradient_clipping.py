"""Identity forward, clipped backward."""

import keras
import numpy as np
import pytest

import keras_dlbasic as kd
from keras_dlbasic._backends.loading import backend_module

X = np.random.default_rng(0).normal(size=(4, 3)).astype("float32")
SEND = (10 * np.random.default_rng(1).normal(size=(4, 3))).astype("float32")


def clipped(layer, x=X, send=SEND):
    weights = keras.ops.convert_to_tensor(send)

    def loss(at):
        return keras.ops.sum(layer(at[0]) * weights)

    (gradient,) = backend_module("autodiff", "Gradients").gradient(
        loss, [keras.ops.convert_to_tensor(x)]
    )
    return np.asarray(keras.ops.convert_to_numpy(gradient))


def test_forward_is_the_identity():
    y = keras.ops.convert_to_numpy(kd.layers.GradientClipping(value=0.1)(X))
    np.testing.assert_array_equal(y, X)


def test_by_value():
    np.testing.assert_allclose(
        clipped(kd.layers.GradientClipping(value=2.0)), np.clip(SEND, -2, 2)
    )


def test_by_norm_of_each_sample():
    norms = np.linalg.norm(SEND, axis=1, keepdims=True)
    limit = float(np.median(norms))
    expected = SEND * np.minimum(1, limit / norms)
    np.testing.assert_allclose(
        clipped(kd.layers.GradientClipping(norm=limit)), expected, rtol=1e-6
    )


def test_zero_gradient_stays_finite():
    gradient = clipped(kd.layers.GradientClipping(norm=1.0), send=0 * SEND)
    assert (gradient == 0).all()


@pytest.mark.parametrize("jit", [False, True])
def test_in_fit(jit):
    if jit and keras.backend.backend() == "torch":
        pytest.skip("torch.compile is not what is tested here")
    model = keras.Sequential(
        [
            keras.Input((3,)),
            keras.layers.Dense(2, kernel_initializer="ones"),
            kd.layers.GradientClipping(value=1e-3),
            keras.layers.Dense(1, kernel_initializer="ones"),
        ]
    )
    model.compile(optimizer=keras.optimizers.SGD(1.0), loss="mse", jit_compile=jit)
    x = np.ones((1, 3), "float32")
    model.fit(x, np.zeros((1, 1)), epochs=1, verbose=0)
    kernel = keras.ops.convert_to_numpy(model.layers[0].kernel.value)
    np.testing.assert_allclose(kernel, 1 - 1e-3, rtol=1e-6)
