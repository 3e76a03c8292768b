"""The layers against their formulas in float64 and against Keras' own layers."""

import keras
import numpy as np
import pytest

import keras_dlbasic as kd

RNG = np.random.default_rng(0)
X = (3 + 2 * RNG.normal(size=(16, 5))).astype("float32")
IMAGES = RNG.normal(1, 2, size=(6, 4, 3, 5)).astype("float32")


def array(tensor):
    return np.asarray(keras.ops.convert_to_numpy(tensor), np.float64)


@pytest.mark.parametrize("x", [X, IMAGES], ids=["features", "images"])
def test_batch_normalization(x):
    gamma, beta = RNG.normal(size=5), RNG.normal(size=5)
    layer = kd.layers.BatchNormalization(momentum=0.9, epsilon=1e-2)
    layer.build(x.shape)
    layer.gamma.assign(gamma)
    layer.beta.assign(beta)
    y = array(layer(x, training=True))
    exact = x.astype(np.float64).reshape(-1, 5)
    mean = exact.mean(axis=0)
    variance = ((exact - mean) ** 2).mean(axis=0)  # divided by m, not m - 1
    expected = gamma * (x - mean) / np.sqrt(variance + 1e-2) + beta
    np.testing.assert_allclose(y, expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(array(layer.moving_mean), 0.1 * mean, rtol=1e-5)
    np.testing.assert_allclose(
        array(layer.moving_variance), 0.9 + 0.1 * variance, rtol=1e-5
    )
    inference = array(layer(x, training=False))
    moving = array(layer.moving_mean), array(layer.moving_variance)
    expected = gamma * (x - moving[0]) / np.sqrt(moving[1] + 1e-2) + beta
    np.testing.assert_allclose(inference, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("axis", [-1, [1, 2]])
def test_layer_normalization(axis):
    x = IMAGES[:, :, 0]
    layer = kd.layers.LayerNormalization(axis=axis, epsilon=1e-2)
    y = array(layer(x))
    axes = (2,) if axis == -1 else (1, 2)
    exact = x.astype(np.float64)
    mean = exact.mean(axis=axes, keepdims=True)
    variance = exact.var(axis=axes, keepdims=True)
    expected = (exact - mean) / np.sqrt(variance + 1e-2)
    np.testing.assert_allclose(y, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("ours", "own", "arguments"),
    [
        (kd.layers.BatchNormalization, keras.layers.BatchNormalization, {}),
        pytest.param(
            kd.layers.BatchNormalization,
            keras.layers.BatchNormalization,
            {"momentum": 0.5, "epsilon": 0.1, "center": False},
            marks=pytest.mark.once,
        ),
        (kd.layers.LayerNormalization, keras.layers.LayerNormalization, {}),
        (kd.layers.Dropout, keras.layers.Dropout, {"rate": 0.4, "seed": 3}),
    ],
)
def test_trains_as_keras_own(ours, own, arguments):
    def trained(cls):
        keras.utils.set_random_seed(1)
        model = keras.Sequential(
            [
                keras.Input((5,)),
                keras.layers.Dense(6, "tanh"),
                cls(**arguments),
                keras.layers.Dense(1),
            ]
        )
        model.compile(optimizer=keras.optimizers.SGD(0.1), loss="mse")
        history = model.fit(X, X[:, :1], batch_size=8, epochs=2, verbose=0)
        return model, history.history["loss"]

    (model, losses), (reference, expected) = trained(ours), trained(own)
    assert losses == expected
    for ours_value, own_value in zip(
        model.get_weights(), reference.get_weights(), strict=True
    ):
        np.testing.assert_array_equal(ours_value, own_value)


def test_masked_steps_do_not_count():
    x = IMAGES[:, :, 0]
    mask = np.ones((6, 4), bool)
    mask[:, 2:] = False
    ours, own = kd.layers.BatchNormalization(), keras.layers.BatchNormalization()
    y = array(ours(x, training=True, mask=keras.ops.convert_to_tensor(mask)))
    expected = array(own(x, training=True, mask=keras.ops.convert_to_tensor(mask)))
    np.testing.assert_array_equal(y, expected)
    np.testing.assert_allclose(
        array(ours.moving_mean), 0.01 * x[mask].mean(axis=0), rtol=1e-4
    )


def test_one_value_per_channel_gives_beta():
    layer = kd.layers.BatchNormalization()
    assert (array(layer(X[:1], training=True)) == 0).all()


@pytest.mark.parametrize(
    ("make", "shape", "text"),
    [
        (lambda: kd.layers.BatchNormalization(axis=3), (None, 5), "no axis 3"),
        (lambda: kd.layers.BatchNormalization(axis=0), (None, 5), "samples"),
        (lambda: kd.layers.BatchNormalization(), (None, None), "no fixed length"),
        (lambda: kd.layers.LayerNormalization(axis=[1, 4]), (None, 5, 5), "no axis 4"),
        (lambda: kd.layers.LayerNormalization(axis=0), (None, 5), "samples"),
    ],
)
def test_wrong_axis(make, shape, text):
    with pytest.raises(ValueError, match=text):
        make().build(shape)


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: kd.layers.Dropout(-0.1), "rate=-0.1"),
        (lambda: kd.layers.Dropout(1.5), "rate=1.5"),
        (lambda: kd.layers.Dropout("half"), "rate='half'"),
        (lambda: kd.layers.BatchNormalization(momentum=2), "momentum=2"),
        (lambda: kd.layers.BatchNormalization(momentum="high"), "momentum='high'"),
        (lambda: kd.layers.BatchNormalization(epsilon=-1.0), "epsilon=-1.0"),
        (lambda: kd.layers.BatchNormalization(epsilon=None), "epsilon=None"),
        (lambda: kd.layers.LayerNormalization(epsilon=float("nan")), "epsilon=nan"),
        (lambda: kd.layers.LayerNormalization(epsilon=-1.0), "epsilon=-1.0"),
        (lambda: kd.layers.GradientClipping(), "value=None, norm=None"),
        (lambda: kd.layers.GradientClipping(1.0, 1.0), "value=1.0, norm=1.0"),
        (lambda: kd.layers.GradientClipping(norm=-1.0), "norm=-1.0"),
    ],
)
def test_bad_arguments(make, text):
    with pytest.raises(ValueError, match=text):
        make()
