"""What is lost of the targets in layers of few units."""

import keras
import numpy as np
import pytest

import keras_dlbasic as kd
from keras_dlbasic._keras.only_ways import only_ways
from keras_dlbasic.inspection import narrow_facts as module
from keras_dlbasic.inspection.narrow_facts import narrow_facts

L = keras.layers
RNG = np.random.default_rng(0)
X = RNG.normal(size=(256, 6)).astype("float32")
COLUMNS = X[:, :3].astype("float64")

pytestmark = pytest.mark.once


def through(units, *, beside=False):
    inputs = keras.Input((6,))
    hidden = L.Dense(units, name="narrow")(inputs)
    if beside:
        hidden = L.Concatenate()([inputs, hidden])
    return keras.Model(inputs, L.Dense(3)(hidden))


def test_one_unit_passes_a_third_of_three_columns():
    facts = narrow_facts(through(1), X, COLUMNS, "values")
    assert (facts.layer, facts.units) == ("narrow", 1)
    assert facts.given > 0.95
    assert facts.passed < 0.5


def test_enough_units_pass_all_of_them():
    facts = narrow_facts(through(6), X, COLUMNS, "values")
    assert facts.passed > 0.95


@pytest.mark.parametrize("model", [through(20), through(1, beside=True)])
def test_other_layers_are_not_asked(model):
    assert narrow_facts(model, X, COLUMNS, "values") is None


@pytest.mark.parametrize(
    ("layer", "is_asked"),
    [
        (L.EinsumDense("ab,bc->ac", 2), False),
        (L.SpectralNormalization(L.Dense(2)), True),
    ],
)
def test_dense_layers_of_other_kinds(layer, is_asked):
    model = keras.Sequential([keras.Input((6,)), layer, L.Dense(3)])
    assert (narrow_facts(model, X, COLUMNS, "values") is not None) is is_asked


def test_layers_that_do_not_run(monkeypatch):
    monkeypatch.setattr(module, "_run", lambda *_: {})
    assert narrow_facts(through(1), X, COLUMNS, "values") is None


def test_constant_units_pass_nothing():
    model = through(2)
    model.get_layer("narrow").set_weights([np.zeros((6, 2)), np.zeros(2)])
    assert narrow_facts(model, X, COLUMNS, "values").passed == 0


def test_ways_of_a_subclassed_model_are_not_known():
    class Own(keras.Model):
        def __init__(self):
            super().__init__()
            self.first, self.last = L.Dense(2), L.Dense(1)

        def call(self, x):
            return self.last(self.first(x))

    model = Own()
    model(X)
    assert only_ways(model) == []


def watched(units, y, **options):
    model = through(units)
    model.compile(keras.optimizers.SGD(0.05), "mse")
    doctor = kd.callbacks.TrainingDoctor(X, y, verbose=0)
    model.fit(X, y, epochs=6, verbose=0, callbacks=[doctor], **options)
    return doctor.record.facts.probe


def test_a_fit_notes_what_is_lost():
    facts = watched(1, X @ RNG.normal(size=(6, 3)).astype("float32"))
    assert facts.narrow.passed < facts.narrow.given


def test_an_autoencoder_may_be_narrow():
    model = keras.Sequential([keras.Input((6,)), L.Dense(1), L.Dense(6)])
    model.compile("sgd", "mse")
    doctor = kd.callbacks.TrainingDoctor(X, X, verbose=0)
    model.fit(X, X, verbose=0, callbacks=[doctor])
    assert doctor.record.facts.probe.narrow is None
