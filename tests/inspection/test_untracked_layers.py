"""Layers that compute in a model, and that Keras neither trains nor saves.

Public reports of the kind: tensorflow/tensorflow#28748 (layers in nested objects),
keras-team/keras#10704 (layers called in a Lambda).
"""

import functools
import weakref

import keras
import numpy as np
import pytest
from made_runs import STUCK, edited_facts, made_run

import keras_dlbasic as kd
from keras_dlbasic._keras.untracked_layers import untracked_layers

L = keras.layers


class Blocks:
    def __init__(self, *layers):
        self.layers = layers

    def __call__(self, x):
        for layer in self.layers:
            x = layer(x)
        return x


class Held(keras.Model):
    def __init__(self, part):
        super().__init__()
        self.part = part
        self.out = L.Dense(2)

    def call(self, x):
        return self.out(self.part(x))


def built(model):
    model(np.zeros((2, 3), "float32"))
    return model


def of_lambda(layer):
    layer.build((None, 3))
    inputs = keras.Input((3,))
    return keras.Model(inputs, L.Lambda(lambda x: layer(x), name="own")(inputs))


SHARED = L.Dense(4, name="shared")


def test_a_layer_that_a_function_finds_among_the_names_of_its_module():
    inputs = keras.Input((3,))
    own = L.Lambda(lambda x: keras.ops.relu(SHARED(x)), name="own")
    model = keras.Model(inputs, own(inputs))
    assert untracked_layers(model) == ["own: 'shared'"]


def frozen():
    layer = L.Dense(4, name="inner")
    layer.trainable = False
    return layer


@pytest.mark.parametrize(
    ("make", "places"),
    [
        (lambda: Held(Blocks(L.Dense(4), L.Dense(4))), 2),
        (lambda: Held(Blocks(Blocks(L.Dense(4)))), 1),
        (lambda: of_lambda(L.Dense(4, name="inner")), 1),
        (lambda: Held(L.Dense(4)), 0),
        (lambda: Held(keras.Sequential([L.Dense(4)])), 0),
        (lambda: Held(Blocks(frozen())), 0),  # on purpose: a base, a teacher
        (lambda: Held(Blocks(L.Activation("relu"))), 0),
        (lambda: of_lambda(frozen()), 0),
    ],
)
def test_they_are_found(make, places):
    assert len(untracked_layers(built(make()))) == places


def test_a_layer_that_the_model_has_elsewhere_is_found_by_keras():
    model = Held(Blocks(L.Dense(4)))
    model.same = list(model.part.layers)
    assert untracked_layers(built(model)) == []


def test_the_way_to_them_is_said():
    assert untracked_layers(built(Held(Blocks(L.Dense(4))))) == ["part.layers[0]"]
    inner = of_lambda(L.Dense(4, name="inner"))
    assert untracked_layers(inner) == ["own: 'inner'"]


def test_holders_of_other_kinds():
    held = L.Dense(4, name="held")
    held.build((None, 3))
    inputs = keras.Input((3,))
    called = functools.partial(lambda layer, x: layer(x), held)
    model = keras.Model(inputs, L.Lambda(called, name="own")(inputs))
    assert untracked_layers(model) == ["own: [0]"]

    class Private(Held):
        def __init__(self):
            super().__init__(L.Dense(4))
            self._blocks = Blocks(L.Dense(4))

        def call(self, x):
            return self.out(self._blocks(self.part(x)))

    assert untracked_layers(built(Private())) == ["_blocks.layers[0]"]


def test_what_refers_to_itself_ends():
    blocks = Blocks(L.Dense(4))
    blocks.itself = blocks
    assert len(untracked_layers(built(Held(blocks)))) == 1


@pytest.mark.parametrize(
    ("run", "severity"), [(STUCK, "critical"), ({"skill": 0.9}, "info")]
)
def test_it_counts_where_the_run_gets_nowhere(run, severity):
    record = made_run(**run)
    assert "frozen_layers" not in kd.diagnose(record).names
    with edited_facts(record) as facts:
        facts["network"]["untracked"] = ["part.layers[0]", "part.layers[1]"]
    (finding,) = (f for f in kd.diagnose(record) if f.name == "frozen_layers")
    assert finding.severity == severity
    assert "2 layers are not part of the model (found at part" in finding.message


class Teacher:
    def __init__(self, model):
        self.model = model


def beside(holder):
    """A model that keeps another one to compare with, and does not call it."""
    other = built(keras.Sequential([L.Dense(2)]))
    model = Held(L.Dense(4))
    model.beside = holder(other)
    return built(model)


class Distance(keras.metrics.Metric):
    def __init__(self, model):
        super().__init__()
        self.encoder = model

    def result(self):
        return 0.0


@pytest.mark.parametrize("holder", [Teacher, Distance])
def test_models_that_are_only_compared_with(holder):
    assert untracked_layers(beside(holder)) == []


class Awkward:
    @property
    def __dict__(self):
        raise RuntimeError("no")


def test_attributes_may_be_anything():
    owner = Teacher(None)
    model = Held(L.Dense(4))
    model.ref, model.awkward = weakref.proxy(owner), Awkward()
    del owner
    assert untracked_layers(built(model)) == []
