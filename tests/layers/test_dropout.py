"""Dropout, and predicting with it."""

import keras
import numpy as np
import pytest

import keras_dlbasic as kd


def array(tensor):
    return np.asarray(keras.ops.convert_to_numpy(tensor), np.float64)


def test_rate_and_scale():
    y = array(
        kd.layers.Dropout(0.3, seed=0)(np.ones((200, 200), "float32"), training=True)
    )
    kept = y != 0
    np.testing.assert_allclose(y[kept], 1 / 0.7, rtol=1e-6)
    assert kept.mean() == pytest.approx(0.7, abs=4 * np.sqrt(0.21 / 40000))


def test_inference_is_the_identity():
    x = np.random.default_rng(0).normal(size=(4, 5)).astype("float32")
    np.testing.assert_array_equal(array(kd.layers.Dropout(0.5)(x)), x)


@pytest.mark.parametrize("rate", [0, 1])
def test_ends(rate):
    y = array(kd.layers.Dropout(rate)(np.ones((3, 3), "float32"), training=True))
    assert (y == 1 - rate).all()


def test_monte_carlo_drops_in_predict():
    model = keras.Sequential(
        [keras.Input((50,)), kd.layers.Dropout(0.5, seed=0, monte_carlo=True)]
    )
    x = np.ones((2, 50), "float32")
    first, second = model.predict(x, verbose=0), model.predict(x, verbose=0)
    assert (first == 0).any()
    assert (first != second).any()


def linear_model(dropout):
    model = keras.Sequential(
        [
            keras.Input((40,)),
            dropout,
            keras.layers.BatchNormalization(),
            keras.layers.Dense(1, kernel_initializer="ones", use_bias=False),
        ]
    )
    model.layers[1].moving_variance.assign(np.full(40, 1 - 1e-3))  # epsilon added: 1
    return model


@pytest.mark.parametrize(
    "dropout", [kd.layers.Dropout(0.5, seed=0), keras.layers.Dropout(0.5, seed=0)]
)
def test_mc_predict_has_mean_and_spread_of_the_law(dropout):
    model = linear_model(dropout)
    before = [w.copy() for w in model.get_weights() if w.dtype == np.float32]
    prediction = kd.layers.mc_predict(model, np.ones((9, 40)), 80, batch_size=8)
    # a sum of 40 values that are 0 or 2
    sigma = np.sqrt(40.0)
    error = sigma / np.sqrt(80)
    np.testing.assert_allclose(prediction.mean, 40.0, atol=4.5 * error)
    np.testing.assert_allclose(prediction.spread, sigma, rtol=4.5 / np.sqrt(160))
    assert prediction.mean.shape == prediction.spread.shape == (9, 1)
    after = [w for w in model.get_weights() if w.dtype == np.float32]
    for one, other in zip(before, after, strict=True):
        np.testing.assert_array_equal(one, other)
    assert "call" not in vars(dropout)


@pytest.mark.once
def test_mc_predict_of_several_outputs():
    inputs = keras.Input((4,))
    hidden = kd.layers.Dropout(0.5)(inputs)
    model = keras.Model(
        inputs, {"a": keras.layers.Dense(2)(hidden), "b": keras.layers.Dense(3)(inputs)}
    )
    mean, spread = kd.layers.mc_predict(model, np.ones((5, 4)), 4)
    assert mean["a"].shape == (5, 2)
    assert (spread["b"] == 0).all()
    assert (spread["a"] > 0).any()


def test_mc_predict_errors():
    plain = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    with pytest.raises(ValueError, match="no dropout layer"):
        kd.layers.mc_predict(plain, np.ones((1, 2)))
    with pytest.raises(ValueError, match="samples=1"):
        kd.layers.mc_predict(plain, np.ones((1, 2)), 1)
