"""Layers that a model has and never calls, and models that use all of theirs."""

import warnings

import keras
import pytest

from keras_dlbasic._keras.unused_layers import uncalled_layers, unused_layers

L = keras.layers


class Net(keras.Model):
    """Two dense layers, and an activation that `call` leaves out."""

    def __init__(self):
        super().__init__()
        self.hidden, self.relu, self.out = L.Dense(4), L.ReLU(), L.Dense(1)

    def call(self, x):
        return self.out(self.hidden(x))


class Calls(Net):
    def call(self, x):
        return self.out(self.relu(self.hidden(x)))


class OtherMethod(Net):
    def probabilities(self, x):
        return self.relu(self(x))


class ThroughFunction(Net):
    def call(self, x):
        return self.out(self.relu.activation(self.hidden(x)) if x is None else x)


class InLoop(Net):
    def call(self, x):
        for name in ("hidden", "relu", "out"):
            x = getattr(self, name)(x)
        return x


class InComprehension(Net):
    def call(self, x):
        return next(self.relu(part) for part in (self.out(self.hidden(x)),))


class Block(L.Layer):
    """A layer of the user's own, with two lists of which one is used."""

    def __init__(self, name=None):
        super().__init__(name=name)
        self.steps = [L.Dense(4), L.ReLU()]
        self.others = [L.ReLU(), L.ReLU()]

    def call(self, x):
        for step in self.steps:
            x = step(x)
        return x


class Looks(keras.Model):
    """Uses the weights of an embedding by hand; a pipeline uses the other layers."""

    def __init__(self):
        super().__init__()
        self.words, self.out = L.Embedding(9, 4), L.Dense(1)
        self.flip, self.unused_drop = L.RandomFlip(), L.Dropout(0.5)
        self.words.build()

    def call(self, ids):
        return self.out(keras.ops.take(self.words.embeddings, ids, axis=0))


def built(model, *shape, dtype="float32"):
    with warnings.catch_warnings(action="ignore"):  # Keras finds layers not built
        model(keras.ops.zeros((1, *shape), dtype))
    return model


def test_an_activation_that_is_not_called_is_found():
    assert unused_layers(built(Net(), 3)) == ["relu"]


def test_layers_with_weights_that_were_never_made_are_found():
    net = Net()
    net.extra = L.Dense(7)
    assert unused_layers(built(net, 3)) == ["extra", "relu"]


def test_a_list_within_a_layer_is_found():
    inputs = keras.Input((4,))
    model = keras.Model(inputs, L.Dense(1)(Block(name="block")(inputs)))
    assert unused_layers(model) == ["block.others"]


@pytest.mark.parametrize(
    "make", [Calls, OtherMethod, ThroughFunction, InLoop, InComprehension]
)
def test_nothing_is_said_where_all_are_used_or_may_be(make):
    assert unused_layers(make()) == []


def test_what_a_pipeline_may_use_is_left_out():
    assert unused_layers(built(Looks(), 3, dtype="int32")) == []


def test_models_of_keras_have_no_unused_layers():
    assert unused_layers(keras.Sequential([keras.Input((4,)), L.Dense(3)])) == []


def test_nothing_of_the_model_runs():
    class Counts(Net):
        calls = 0

        def call(self, x):
            type(self).calls += 1
            return super().call(x)

    model = built(Counts(), 3)
    before = Counts.calls
    assert unused_layers(model) == ["relu"]
    assert Counts.calls == before


class Flagged(Net):
    """A net whose second branch is taken only if a flag says so."""

    def __init__(self, use=False):
        super().__init__()
        self.around, self.use = L.Dense(4), use

    def call(self, x):
        hidden = self.relu(self.hidden(x))
        return self.out(hidden + self.around(x) if self.use else hidden)


@pytest.mark.filterwarnings("ignore:`build")
@pytest.mark.parametrize(("use", "named"), [(False, ["around"]), (True, [])])
def test_a_layer_in_a_branch_that_is_not_taken(use, named):
    model = Flagged(use)
    model(keras.ops.zeros((2, 3)))
    assert uncalled_layers(model) == named
    assert unused_layers(model) == []


def test_a_model_that_was_not_called_hides_no_layers():
    assert uncalled_layers(Flagged()) == []
    assert uncalled_layers(keras.Sequential([keras.Input((2,)), L.Dense(1)])) == []
