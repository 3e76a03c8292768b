"""The initializer that suits an activation."""

import keras
import numpy as np
import pytest
from scipy import integrate

import keras_dlbasic as kd
from keras_dlbasic.analysis.activations.table import ACTIVATIONS

laws = kd.initializers

pytestmark = pytest.mark.once

PLAIN = [
    name
    for name, activation in ACTIVATIONS.items()
    if activation.slope is not None and name != "threshold"
]


def keras_values(name, z):
    function = keras.activations.get(name)
    tensor = function(keras.ops.convert_to_tensor(np.asarray(z, "float32")))
    return np.asarray(keras.ops.convert_to_numpy(tensor), np.float64)


# Keras 3.15's own sparsemax sums up sums: its rows do not add up to 1
@pytest.mark.parametrize(
    "name", [n for n in ACTIVATIONS if n not in ("threshold", "sparsemax")]
)
def test_table_has_keras_values(name):
    if not hasattr(keras.activations, name) and name not in ("swish", "hard_swish"):
        pytest.skip("not in this Keras")
    z = np.random.default_rng(0).normal(0, 2, (5, 8)).astype("float32")
    ours = ACTIVATIONS[name].value(z.astype(np.float64))
    np.testing.assert_allclose(ours, keras_values(name, z), rtol=2e-5, atol=2e-6)


def test_sparsemax_is_the_projection_on_the_simplex():
    z = np.random.default_rng(0).normal(0, 2, (50, 8))
    p = ACTIVATIONS["sparsemax"].value(z)
    np.testing.assert_allclose(p.sum(axis=1), 1.0)
    assert (p >= 0).all()
    # optimality: what is moved is the same for all that stay, less for those that go
    moved = z - p
    tau = np.where(p > 0, moved, -np.inf).max(axis=1, keepdims=True)
    np.testing.assert_allclose(np.where(p > 0, moved, tau), tau * np.ones((1, 8)))
    assert (moved <= tau + 1e-12).all()


def test_every_name_of_keras_has_an_initializer():
    names = [
        name
        for name in dir(keras.activations)
        if callable(getattr(keras.activations, name))
        and name not in ("get", "serialize", "deserialize")
    ]
    assert len(names) > 15
    for name in names:
        initializer = laws.for_activation(name)
        assert np.isfinite(initializer.gain)
        assert initializer.gain > 0


@pytest.mark.parametrize("name", PLAIN)
def test_slope_is_the_derivative(name):
    activation = ACTIVATIONS[name]
    z = np.linspace(-4.013, 4.017, 97)
    step = 1e-6
    difference = (activation.value(z + step) - activation.value(z - step)) / (2 * step)
    np.testing.assert_allclose(activation.slope(z), difference, atol=1e-6)


@pytest.mark.parametrize("name", ["relu", "elu", "gelu", "silu", "selu", "softplus"])
def test_he_gain_keeps_the_second_moment(name):
    gain = laws.for_activation(name).gain

    def integrand(z):
        density = np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)
        return ACTIVATIONS[name].value(np.array(z)) ** 2 * density

    moment = sum(integrate.quad(integrand, *ends)[0] for ends in ((-12, 0), (0, 12)))
    assert 2 * gain**2 * moment == pytest.approx(1, abs=1e-7)


@pytest.mark.parametrize(
    ("name", "cls", "gain"),
    [
        ("relu", laws.HeNormal, 1.0),
        ("leaky_relu", laws.HeNormal, 1 / np.sqrt(1.04)),
        ("selu", laws.HeNormal, np.sqrt(0.5)),  # LeCun's law
        ("tanh", laws.XavierNormal, 1.0),
        ("sigmoid", laws.XavierNormal, 4.0),
        ("softmax", laws.XavierNormal, 1.0),
        (None, laws.XavierNormal, 1.0),
        ("linear", laws.XavierNormal, 1.0),
    ],
)
def test_choice(name, cls, gain):
    initializer = laws.for_activation(name)
    assert type(initializer) is cls
    assert initializer.gain == pytest.approx(gain, abs=1e-6)


@pytest.mark.once
@pytest.mark.parametrize("name", PLAIN)
def test_gain_of_a_callable_is_that_of_the_name(name):
    activation = ACTIVATIONS[name]
    function = keras.activations.get(name)
    if name != "linear":
        estimated = laws.for_activation(lambda z: function(z))
        assert estimated.gain == pytest.approx(activation.gain, rel=2e-3)


def test_function_of_keras_is_known():
    assert laws.for_activation(keras.activations.relu).gain == 1.0


def test_layer_as_callable():
    initializer = laws.for_activation(
        keras.layers.LeakyReLU(0.1), distribution="uniform"
    )
    assert type(initializer) is laws.HeUniform
    assert initializer.gain == pytest.approx(1 / np.sqrt(1.01), abs=1e-6)


@pytest.mark.parametrize(
    ("activation", "text"),
    [
        ("rleu", "'rleu'"),
        (3, "Received: 3"),
        (lambda z: keras.ops.softmax(z), "element by element"),
        (lambda z: z * 0, "mean square is 0"),
    ],
)
def test_bad_activation(activation, text):
    with pytest.raises(ValueError, match=text):
        laws.for_activation(activation)


def test_bad_distribution():
    with pytest.raises(ValueError, match="'cauchy'"):
        laws.for_activation("relu", distribution="cauchy")
