"""What a constant at the output saves in a model without biases."""

import keras
import numpy as np
import pytest

import keras_dlbasic as kd
from keras_dlbasic.inspection.offset_facts import has_no_bias, holds_constant

L = keras.layers
RNG = np.random.default_rng(0)
X = np.abs(RNG.normal(size=(200, 1))).astype("float32")

pytestmark = pytest.mark.once

ONE_HOT = np.eye(3, dtype="float32")[(X[:, 0] > 1.2).astype(int) + (X[:, 0] > 0.5)]
TASKS = {
    "values": (1, None, "mse", 5 - 4 * X),
    "sigmoid": (1, "sigmoid", "binary_crossentropy", (X < 0.5) * 1.0),
    "logits": (
        1,
        None,
        keras.losses.BinaryCrossentropy(from_logits=True),
        (X < 0.5) * 1.0,
    ),
    "one_hot": (3, "softmax", "categorical_crossentropy", ONE_HOT),
    "numbers": (3, "softmax", "sparse_categorical_crossentropy", ONE_HOT.argmax(1)),
}


def facts_of(name, *, bias):
    units, activation, loss, y = TASKS[name]
    model = keras.Sequential([keras.Input((1,))])
    model.add(L.Dense(units, activation=activation, use_bias=bias))
    model.compile(keras.optimizers.Adam(0.05), loss)
    doctor = kd.callbacks.TrainingDoctor(X, y, verbose=0)
    model.fit(X, y, epochs=15, verbose=0, callbacks=[doctor])
    return doctor.record.facts.probe


@pytest.mark.parametrize("name", TASKS)
def test_a_constant_lowers_the_loss_of_a_model_without_biases(name):
    offset = facts_of(name, bias=False).offset
    assert offset.moved < 0.9 * offset.loss


def test_with_a_bias_nothing_is_tried():
    assert facts_of("sigmoid", bias=True).offset is None


@pytest.mark.parametrize("activation", [None, "exponential", "softplus", "sigmoid"])
def test_values_that_are_worse_than_a_constant(activation):
    """Of an output with known limits, these are what is wrong."""
    model = keras.Sequential([keras.Input((1,)), L.Dense(1, activation)])
    model.compile(keras.optimizers.SGD(1e-6), "mse")
    doctor = kd.callbacks.TrainingDoctor(X, 30 + X, verbose=0)
    model.fit(X, 30 + X, epochs=4, verbose=0, callbacks=[doctor])
    offset = doctor.record.facts.probe.offset
    if activation == "sigmoid":
        assert offset is None
        return
    assert offset.has_bias
    assert 25 < offset.shift < 32
    assert offset.moved < 0.01 * offset.loss


PLAIN = {"center": False, "scale": False}


@pytest.mark.parametrize(
    "act",
    [
        lambda x: keras.ops.pad(x, ((0, 0), (1, 0)), constant_values=1),
        lambda x: x + 1,
        keras.ops.cos,
    ],
)
def test_operations_may_add_one(act):
    inputs = keras.Input((3,))
    model = keras.Model(inputs, L.Dense(1, use_bias=False)(act(inputs)))
    assert not has_no_bias(model)
    assert not has_no_bias(keras.Sequential([keras.Input((3,)), model]))


@pytest.mark.parametrize(
    ("x", "holds"),
    [
        (np.c_[X, np.ones(200)], True),
        (np.c_[X, np.zeros(200)], False),
        (ONE_HOT, True),
        (ONE_HOT[:, :2], False),
        (RNG.normal(size=(20, 40)), False),
    ],
)
def test_constants_among_inputs(x, holds):
    assert holds_constant(x) == holds


def test_a_column_of_ones_stands_for_a_bias():
    x = np.c_[X, np.ones(200)].astype("float32")
    model = keras.Sequential([keras.Input((2,)), L.Dense(1, "sigmoid", use_bias=False)])
    model.compile("sgd", "binary_crossentropy")
    doctor = kd.callbacks.TrainingDoctor(x, X < 0.5, verbose=0)
    model.fit(x, X < 0.5, verbose=0, callbacks=[doctor])
    assert doctor.record.facts.probe.offset is None


@pytest.mark.parametrize(
    ("layers", "has_none"),
    [
        ([L.Dense(2, use_bias=False), L.ReLU()], True),
        ([L.Dense(2, use_bias=False), L.Dense(1)], False),
        ([L.Dense(2, use_bias=False), L.BatchNormalization()], False),
        ([L.Dense(2, use_bias=False), L.LayerNormalization(**PLAIN)], False),
        ([L.Dense(2, use_bias=False), L.UnitNormalization()], False),
        ([L.Rescaling(2.0), L.Dense(2, use_bias=False)], True),
        ([L.Rescaling(2.0, offset=-1), L.Dense(2, use_bias=False)], False),
        ([L.Flatten()], False),
    ],
)
def test_which_models_have_none(layers, has_none):
    model = keras.Sequential([keras.Input((3,)), *layers])
    assert has_no_bias(model) == has_none


def test_a_custom_layer_may_add_one():
    class Plus(L.Layer):
        def call(self, x):
            return x + 1

    model = keras.Sequential([keras.Input((3,)), L.Dense(2, use_bias=False), Plus()])
    assert not has_no_bias(model)
