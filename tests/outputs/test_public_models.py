"""Models rebuilt after public programs whose output is not that of the last layer.

Each is trained right for a moment: nothing may be said of its output. Its twin ends
with another function, which does not fit its loss.
"""

import keras
import numpy as np
import pytest
from keras import ops

import keras_dlbasic as kd
from keras_dlbasic.inspection.network_facts import network_facts

RNG = np.random.default_rng(0)
BCE, SCCE = "binary_crossentropy", "sparse_categorical_crossentropy"
layers = keras.layers


class AttractRepel(keras.Model):
    """Scores pairs by a difference of dot products (a link decoder of a graph net)."""

    def __init__(self, end):
        super().__init__()
        self.attract, self.repel = layers.Dense(4), layers.Dense(4)
        self.end = end

    def call(self, x):
        one, other = x[:, :3], x[:, 3:]
        attract = ops.sum(self.attract(one) * self.attract(other), axis=1)
        repel = ops.sum(self.repel(one) * self.repel(other), axis=1)
        return self.end(attract - repel)


class TokenHead(keras.Model):
    """A head on the first token, its projection defined before what comes before it."""

    def __init__(self, end):
        super().__init__()
        self.projection = layers.Dense(1)
        self.dense, self.dropout = layers.Dense(8), layers.Dropout(0.1)
        self.end = end

    def call(self, x, training=False):
        x = self.dropout(x[:, 0, :], training=training)
        x = keras.activations.gelu(self.dense(x))
        return self.end(self.projection(self.dropout(x, training=training)))


class LabelAttention(keras.Model):
    """Class probabilities are a softmax over products with embeddings of the labels."""

    def __init__(self, end):
        super().__init__()
        self.labels = self.add_weight(shape=(3, 8), initializer="glorot_uniform")
        self.encoder, self.norm = layers.Dense(8, "tanh"), layers.LayerNormalization()
        self.end = end

    def call(self, x):
        encoded = self.norm(self.encoder(x))
        return self.end(ops.matmul(encoded, ops.transpose(self.labels)) / 8**0.5)


class Temperature(layers.Layer):
    """A softmax with a temperature that is learned."""

    def __init__(self, end):
        super().__init__()
        self.end = end

    def build(self, shape):
        self.temperature = self.add_weight(shape=(), initializer="ones")

    def call(self, x):
        return self.end(x / self.temperature)


class BlockThenNorm(keras.Model):
    """A transformer block whose normalizations are listed behind the head."""

    def __init__(self, end):
        super().__init__()
        self.head = layers.Dense(3)
        self.attention = layers.MultiHeadAttention(2, 4)
        self.norm_1, self.norm_2 = (
            layers.LayerNormalization(),
            layers.RMSNormalization(),
        )
        self.end = end

    def call(self, x):
        x = self.norm_1(x + self.attention(x, x))
        return self.end(self.head(ops.mean(self.norm_2(x), axis=1)))


def softmax(x):
    return ops.softmax(x, axis=-1)


def with_temperature(end):
    dense = [layers.Dense(8, "relu"), layers.Dense(3), Temperature(end)]
    return keras.Sequential([keras.Input((4,)), *dense])


PAIRS = RNG.normal(size=(64, 6)).astype("float32")
TOKENS = RNG.normal(size=(64, 5, 8)).astype("float32")
ROWS = RNG.normal(size=(64, 4)).astype("float32")
YES = RNG.integers(0, 2, 64).astype("float32")
CLASSES = RNG.integers(0, 3, 64)
CASES = {
    "difference of products": (AttractRepel, ops.sigmoid, "sigmoid", PAIRS, YES, BCE),
    "head on a token": (TokenHead, ops.sigmoid, "sigmoid", TOKENS, YES[:, None], BCE),
    "attention on labels": (LabelAttention, softmax, "softmax", ROWS, CLASSES, SCCE),
    "temperature": (with_temperature, softmax, "softmax", ROWS, CLASSES, SCCE),
    "norms listed last": (BlockThenNorm, softmax, "softmax", TOKENS, CLASSES, SCCE),
}


def built(name, end):
    make, _, _, x, y, loss = CASES[name]
    model = make(end)
    model(x[:2])
    model.compile(optimizer="adam", loss=loss)
    return model, x, y


@pytest.mark.parametrize("name", CASES)
def test_the_function_in_call_is_the_output(name):
    model, _, _ = built(name, CASES[name][1])
    (output,) = activations(model)
    assert output == CASES[name][2]


@pytest.mark.once
@pytest.mark.parametrize("name", CASES)
def test_a_right_model_is_left_alone(name):
    model, x, y = built(name, CASES[name][1])
    assert "output_activation_mismatch" not in kd.preflight(model, x, y).names


@pytest.mark.once
@pytest.mark.parametrize("name", CASES)
def test_an_output_without_a_limit_is_named(name):
    model, x, y = built(name, lambda x: x)
    assert activations(model) == [None]
    assert "output_activation_mismatch" in kd.preflight(model, x, y).names


def activations(model):
    return [output.activation for output in network_facts(model).outputs]


class ReluInCall(keras.Model):
    """The usual way to write a network by hand: layers without, `call` with."""

    def __init__(self):
        super().__init__()
        self.one, self.two, self.three = (layers.Dense(n) for n in (16, 16, 1))

    def call(self, x):
        return self.three(ops.relu(self.two(ops.relu(self.one(x)))))


def functional(act):
    x = keras.Input((4,))
    hidden = act(layers.Dense(8)(act(layers.Dense(8)(x))))
    return keras.Model(x, layers.Dense(1)(hidden))


@pytest.mark.parametrize(
    ("make", "is_named"),
    [
        (ReluInCall, False),
        (lambda: functional(ops.relu), False),
        (lambda: functional(lambda x: x + 1.0), True),
        (lambda: functional(lambda x: x), True),
    ],
)
def test_activations_may_be_operations(make, is_named):
    model = make()
    model(ROWS[:2])
    model.compile(optimizer="adam", loss="mse")
    names = kd.preflight(model, ROWS, YES).names
    assert ("missing_nonlinearity" in names) == is_named


class WithoutCall(keras.Model):
    """Two parts that a `train_step` would put together, as in many GANs."""

    def __init__(self):
        super().__init__()
        self.one, self.two = functional(ops.relu), functional(ops.relu)


def test_a_model_without_call_is_described():
    model = WithoutCall()
    model.built = True
    facts = network_facts(model, ROWS)
    assert facts.may_act_between_layers
    assert len(facts.layers) == 8  # with the two inputs
