"""Layers that a model has and never calls, and models that use all of theirs."""

import warnings

import keras
import pytest

from keras_dlbasic._keras.unused_layers import unused_layers

L = keras.layers


class Net(keras.Model):
    """Two dense layers, with an activation between them if it is called."""

    def __init__(self, uses=True):
        super().__init__()
        self.hidden, self.relu, self.out = L.Dense(4), L.ReLU(), L.Dense(1)
        self.uses = uses

    def call(self, x):
        x = self.hidden(x)
        return self.out(self.relu(x) if self.uses else x)


class Block(L.Layer):
    """A layer of the user's own, one of whose activations is left out."""

    def __init__(self, name=None):
        super().__init__(name=name)
        self.steps = [L.Dense(4), L.ReLU(), L.Dense(4), L.ReLU()]

    def call(self, x):
        for step in self.steps[:3]:
            x = step(x)
        return x


class InTraining(keras.Model):
    """Normalizes in training only, and looks its embedding up by hand."""

    def __init__(self):
        super().__init__()
        self.words = L.Embedding(9, 4)
        self.act, self.out = L.Activation("tanh"), L.Dense(1)
        self.flip, self.unused_drop = L.RandomFlip(), L.Dropout(0.5)
        self.words.build()

    def call(self, ids, training=False):
        x = keras.ops.take(self.words.embeddings, ids, axis=0)
        return self.out(self.act(x) if training else x)


class OwnStep(Net):
    """Calls its activation in a step of its own."""

    def compute_loss(self, x=None, y=None, y_pred=None, **kwargs):
        return keras.ops.mean(keras.ops.square(self.relu(y_pred) - y))


def built(model, *shape):
    model(keras.ops.zeros((1, *shape)))
    return model


def test_an_activation_that_is_not_called_is_found():
    assert unused_layers(built(Net(uses=False), 3)) == ["relu"]


def test_layers_with_weights_that_were_never_made_are_found():
    net = Net()
    net.extra = L.Dense(7)
    with warnings.catch_warnings(action="ignore"):  # Keras finds it unbuilt
        net(keras.ops.zeros((1, 3)))
    assert unused_layers(net) == ["extra"]


def test_a_list_within_a_layer_is_looked_through():
    inputs = keras.Input((4,))
    model = keras.Model(inputs, L.Dense(1)(Block(name="block")(inputs)))
    assert unused_layers(model) == ["block.steps[3]"]


@pytest.mark.parametrize("make", [Net, lambda: OwnStep(uses=False)])
def test_nothing_is_said_where_all_are_called_or_may_be(make):
    assert unused_layers(built(make(), 3)) == []


def test_what_runs_in_training_only_is_used_and_pipelines_may_use_others():
    model = InTraining()
    with warnings.catch_warnings(action="ignore"):  # Keras finds it unbuilt
        model(keras.ops.zeros((1, 3), "int32"))
    assert unused_layers(model) == []


def test_models_of_keras_have_no_unused_layers():
    model = keras.Sequential([keras.Input((4,)), L.Dense(3), L.ReLU(), L.LSTM(2)][:3])
    assert unused_layers(model) == []
