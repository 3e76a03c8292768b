"""What a model's outputs are, found by tracing it."""

import random

import keras
import numpy as np
import pytest
from keras import ops

import keras_dlbasic as kd
from keras_dlbasic._backends.operation import Operation
from keras_dlbasic._keras.output_activation import output_activation
from keras_dlbasic._keras.outputs import model_outputs
from keras_dlbasic.inspection.network_facts import network_facts

L = keras.layers

X = np.random.default_rng(0).normal(size=(64, 5)).astype("float32")


class Net(keras.Model):
    """A subclassed model whose head is defined first, and a norm last."""

    def __init__(self, last=lambda z: z, units=3, activation=None):
        super().__init__()
        self.head = L.Dense(units, activation, name="head")
        self.hidden = L.Dense(6, "relu", name="hidden")
        self.drop = L.Dropout(0.5)
        self.norm = L.LayerNormalization(name="norm")
        self.last = last

    def call(self, x, training=False):
        hidden = self.drop(self.norm(self.hidden(x)), training=training)
        return self.last(self.head(hidden))


def built(model, x=X):
    model(x[:2])
    return model


LAST = {
    "sigmoid": (ops.sigmoid, "sigmoid"),
    "squeezed": (lambda z: ops.squeeze(ops.sigmoid(z[:, :1]), -1), "sigmoid"),
    "sliced": (lambda z: ops.sigmoid(z)[:, 0], "sigmoid"),
    "cast": (lambda z: ops.cast(ops.tanh(z), "float16"), "tanh"),
    "softmax": (ops.softmax, "softmax"),
    "log softmax": (ops.log_softmax, "log_softmax"),
    "exp": (ops.exp, "exponential"),
    "relu": (ops.relu, "relu"),
    "relu6": (ops.relu6, "relu6"),
    "softplus": (ops.softplus, "softplus"),
    "elu": (ops.elu, "elu"),
    "nothing": (lambda z: z, None),
    "scaled": (lambda z: (1 - z) * 5 / 2, None),
    "sum": (lambda z: ops.sum(z, axis=-1, keepdims=True), None),
    "product": (lambda z: z[:, :1] * z[:, 1:2], None),
    "reshaped": (lambda z: ops.reshape(z, (-1, 3, 1)), None),
    "parts alike": (lambda z: ops.concatenate([ops.tanh(z), ops.tanh(-z)]), "tanh"),
    "parts": (lambda z: ops.concatenate([ops.tanh(z), z]), "unknown"),
    "scaled sigmoid": (lambda z: ops.sigmoid(z) * 5, "unknown"),
    "complement": (lambda z: 1 - ops.sigmoid(z), "unknown"),
    "gated": (lambda z: z * ops.sigmoid(z), "unknown"),
    "sorted": (lambda z: ops.sort(z), "unknown"),
    "mixture": (lambda z: ops.softmax(z) @ ops.transpose(ops.softmax(z)), "unknown"),
    "normalized": (ops.normalize, "normalization"),
}


@pytest.mark.parametrize("case", LAST)
def test_operations_in_call(case):
    last, activation = LAST[case]
    (output,) = model_outputs(built(Net(last)), X)
    assert output.activation == activation


@pytest.mark.parametrize("activation", ["sigmoid", "softmax", "relu", None])
def test_a_head_that_is_defined_first(activation):
    (output,) = model_outputs(built(Net(activation=activation)), X)
    assert output.activation == activation
    assert (output.name, output.units, output.rank) == ("head", 3, 2)


@pytest.mark.parametrize("axis", [-1, 1, 0])
def test_the_axis_of_a_softmax(axis):
    model = built(Net(lambda z: ops.softmax(z, axis=axis)))
    (output,) = network_facts(model, X).outputs
    assert output.activation == "softmax"
    assert output.softmax_axis == (-1 if axis else -2)


def test_an_axis_that_cannot_be_told():
    model = built(Net(lambda z: ops.reshape(ops.softmax(z), (-1, 3, 1))))
    (output,) = model_outputs(model, X)
    assert (output.activation, output.softmax_axis) == ("softmax", None)


def test_transposed_axes():
    model = built(
        Net(lambda z: ops.transpose(ops.softmax(z[:, :, None], 1), (0, 2, 1)))
    )
    (output,) = model_outputs(model, X)
    assert (output.activation, output.softmax_axis) == ("softmax", -1)


def test_each_of_several_outputs():
    model = built(Net(lambda z: {"a": ops.sigmoid(z[:, :1]), "b": z, "c": ops.tanh(z)}))
    found = model_outputs(model, X)
    assert [output.activation for output in found] == ["sigmoid", None, "tanh"]
    assert [output.units for output in found] == [1, 3, 3]


def test_without_data_it_is_traced_on_zeros():
    (output,) = model_outputs(built(Net(ops.sigmoid)))
    assert output.activation == "sigmoid"

    class Tokens(keras.Model):
        def __init__(self):
            super().__init__()
            self.table, self.head = L.Embedding(9, 4), L.Dense(1)

        def call(self, x):
            return ops.sigmoid(self.head(ops.mean(self.table(x), axis=1)))

    tokens = built(Tokens(), np.ones((4, 7), "int32"))
    assert model_outputs(tokens)[0].activation == "sigmoid"


def test_models_within_models():
    class Trainer(keras.Model):
        def __init__(self, net):
            super().__init__()
            self.net = net

        def call(self, x, training=False):
            return self.net(x, training=training)

    inner = keras.Sequential([keras.Input((5,)), L.Dense(3, "softmax", name="inner")])
    (output,) = model_outputs(built(Trainer(inner)), X)
    assert (output.activation, output.softmax_axis) == ("softmax", -1)
    inputs = keras.Input((5,))
    model = keras.Model(inputs, Trainer(inner)(inputs))
    assert model_outputs(model, X)[0].activation == "softmax"


@pytest.mark.parametrize(
    ("last", "activation"),
    [
        (lambda z: ops.sigmoid(z), "sigmoid"),
        (lambda z: ops.sigmoid(z) * 5, "unknown"),
        (lambda z: L.Reshape((3, 1))(L.Activation("tanh")(z)), "tanh"),
        (lambda z: L.Dropout(0.5)(z), None),
        (lambda z: L.Add()([z, z]), None),
        (lambda z: L.TimeDistributed(L.Dense(2, "relu"))(z[:, :, None]), "relu"),
        (lambda z: L.Softmax(axis=1)(z[:, :, None]), "softmax"),
        (lambda z: L.Dense(2, ops.sin)(z), "custom"),
        (lambda z: L.Dense(2, "gelu")(z), "gelu"),
    ],
)
def test_functional_models(last, activation):
    inputs = keras.Input((5,))
    model = keras.Model(inputs, last(L.Dense(3)(inputs)))
    (output,) = model_outputs(model)
    assert output.activation == activation
    assert output.softmax_axis == (-2 if activation == "softmax" else None)


def test_recurrent_outputs_are_not_linear():
    model = keras.Sequential([keras.Input((4, 5)), L.LSTM(2)])
    assert model_outputs(model)[0].activation == "unknown"


def test_frozen_models():
    model = built(Net(ops.sigmoid))
    model.trainable = False
    assert model_outputs(model, X)[0].activation == "sigmoid"


def test_what_cannot_be_traced_is_unknown():
    def broken(z):
        raise RuntimeError("only in training")

    model = built(Net())
    model.last = broken
    (output,) = network_facts(model, X).outputs
    assert output.activation == "unknown"
    unbuilt = Net()
    assert network_facts(unbuilt).outputs[0].activation == "unknown"


def test_tracing_changes_nothing():
    class Counting(Net):
        def build(self, input_shape):
            super().build(input_shape)
            self.calls = self.add_weight(shape=(), trainable=False)
            self.seed = keras.random.SeedGenerator(3)

        def call(self, x, training=False):
            self.calls.assign_add(1.0)
            random.random()
            np.random.random_sample()
            keras.random.normal((2,), seed=self.seed)
            return super().call(x, training=training)

    model = built(Counting(ops.sigmoid))
    before = _state(model)
    assert model_outputs(model, X)[0].activation == "sigmoid"
    assert _state(model) == before
    assert "call" not in vars(model.head)


def _state(model):
    values = [np.array(ops.convert_to_numpy(v)).tolist() for v in model.variables]
    return values, random.getstate(), np.random.get_state()[1].tolist()


def _verdict(model, y, loss):
    model.compile("adam", loss)
    found = kd.preflight(built(model), X, y)
    names = {f.name: f.severity for f in found if f.severity != "info"}
    return names.get("output_activation_mismatch")


BINARY, CLASSES = (X[:, 0] > 0).astype("float32"), np.arange(64) % 3
SPARSE = "sparse_categorical_crossentropy"


def sigmoid(z):
    return ops.squeeze(ops.sigmoid(z), -1)


@pytest.mark.parametrize(
    ("net", "y", "loss", "severity"),
    [
        (lambda: Net(sigmoid, 1), BINARY, "binary_crossentropy", None),
        (lambda: Net(), CLASSES, SPARSE, "critical"),
        *(
            # what is read from the trace is tested above, on all backends
            pytest.param(*case, marks=pytest.mark.once)
            for case in (
                (lambda: Net(ops.softmax), CLASSES, SPARSE, None),
                (lambda: Net(activation="softmax"), CLASSES, SPARSE, None),
                (lambda: Net(units=1), 3 * X[:, :1], "mse", None),
                (
                    lambda: Net(lambda z: ops.sigmoid(z) * 5, 1),
                    np.clip(2.5 + X[:, :1], 0, 5),
                    "mse",
                    None,
                ),
                (
                    lambda: Net(sigmoid, 1),
                    BINARY,
                    keras.losses.BinaryCrossentropy(from_logits=True),
                    "warning",
                ),
                (lambda: Net(sigmoid, 1), 9 * X[:, 0], "mse", "critical"),
            )
        ),
    ],
)
def test_correct_and_faulty_subclassed_models(net, y, loss, severity):
    assert _verdict(net(), y, loss) == severity


@pytest.mark.once
def test_a_subclassed_model_may_be_linear_for_all_that_is_known():
    found = kd.preflight(built(Net(units=1)), X, X[:, :1])
    assert "missing_nonlinearity" not in [f.name for f in found]


def test_operations_are_read_by_name():
    z = Operation("matmul", lambda: [Operation("input"), Operation("weight")])
    exp = Operation("exponential", lambda: [z])
    total = Operation("sum", lambda: [exp], axis=-1)
    softmax = Operation("divide", lambda: [exp, total])
    assert output_activation(softmax) == ("softmax", -1)
    assert output_activation(Operation("divide", lambda: [exp, z])) == ("unknown", None)
    assert output_activation(z) == (None, None)
