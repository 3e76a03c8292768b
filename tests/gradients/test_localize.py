import keras
import models
import numpy as np
import pytest
import reference

from keras_dlbasic.gradients import localize_non_finite

L = keras.layers


def chain():
    log = L.Lambda(lambda t: keras.ops.log(t - 1.0), name="log")
    inner = keras.Sequential([keras.Input((3,)), L.Dense(3, name="deep")], name="inner")
    layers = [L.Dense(3, name="first"), inner, log, L.Dense(1, name="last")]
    return keras.Sequential([keras.Input((3,)), *layers])


def test_data():
    x = np.ones((2, 3), "float32")
    x[0, 1] = np.inf
    origin = localize_non_finite(chain(), x)
    assert (origin.source, origin.count) == ("input", 1)


def test_weights_within_a_nested_model():
    model = chain()
    layer = model.get_layer("inner").get_layer("deep")
    kernel, bias = layer.get_weights()
    kernel[0, 0] = np.nan
    layer.set_weights([kernel, bias])
    origin = localize_non_finite(model, np.ones((2, 3)))
    assert (origin.source, origin.layer) == ("weights", "inner/deep")
    assert origin.variable.endswith("deep/kernel")


def test_a_layer_that_makes_it():
    model = chain()
    for layer in (model.layers[0], model.layers[1].layers[0]):
        layer.set_weights([np.eye(3), np.zeros(3)])
    origin = localize_non_finite(model, np.ones((2, 3)))
    assert (origin.source, origin.layer, origin.count) == ("output", "log", 6)
    assert "log" in str(origin)
    assert localize_non_finite(model, np.full((2, 3), 5.0)) is None


class OwnArithmetic(L.Layer):
    def __init__(self):
        super().__init__(name="own")
        self.dense = L.Dense(2)

    def call(self, x):
        return keras.ops.log(-keras.ops.exp(self.dense(x)))


def test_arithmetic_of_a_layer_that_holds_layers():
    model = keras.Sequential([keras.Input((3,)), OwnArithmetic(), L.Dense(1)])
    origin = localize_non_finite(model, np.ones((2, 3)))
    assert (origin.source, origin.layer) == ("output", "own")


@pytest.mark.once
def test_the_model_stays_as_it_was():
    model, x, *_ = models.make("cnn")
    before, attributes = (
        reference.arrays(model.variables),
        sorted(vars(model.layers[0])),
    )
    assert localize_non_finite(model, x, training=True) is None
    after = reference.arrays(model.variables)
    assert all(np.array_equal(a, b) for a, b in zip(before, after, strict=True))
    assert sorted(vars(model.layers[0])) == attributes


@pytest.mark.parametrize(
    "name",
    [
        *(pytest.param(name, marks=pytest.mark.once) for name in ("attention", "lstm")),
        "several_outputs",
        "shared",
    ],
)
def test_architectures(name):
    model, x, *_ = models.make(name)
    assert localize_non_finite(model, x) is None
    weights = model.get_weights()
    weights[-1][:] = np.nan
    model.set_weights(weights)
    assert localize_non_finite(model, x).source == "weights"


def test_an_unbuilt_model():
    model = models.Subclassed()
    assert localize_non_finite(model, np.ones((1, 6))) is None
    assert model.built
