"""What a model adds to the compiled loss by itself."""

import keras
import numpy as np
import pytest
from keras import ops

import keras_dlbasic as kd
from keras_dlbasic.inspection.added_loss import activity_penalty, added_loss
from keras_dlbasic.inspection.network_facts import network_facts
from keras_dlbasic.inspection.probe import Probe
from keras_dlbasic.inspection.probe_questions import note_added
from keras_dlbasic.records import TrainingRecord

L = keras.layers
X = np.random.default_rng(0).normal(size=(48, 6)).astype("float32")


class Divergence(L.Layer):
    """Adds the mean square of a code to the loss, in two calls of the method."""

    def __init__(self, weight=1.0, **kwargs):
        super().__init__(**kwargs)
        self.weight = weight

    def call(self, code):
        self.add_loss(self.weight * ops.mean(ops.square(code)))
        self.add_loss([self.weight * ops.sum(code) * 0.0])
        return code


class Summed(L.Layer):
    """Adds the sum of the squares of a code."""

    def call(self, code):
        self.add_loss(ops.sum(ops.square(code)))
        return code


def autoencoder(weight, regularizer=None):
    keras.utils.set_random_seed(0)
    inputs = keras.Input((6,))
    code = L.Dense(2, activity_regularizer=regularizer, name="code")(inputs)
    model = keras.Model(inputs, L.Dense(6)(Divergence(weight)(code)))
    model.compile(keras.optimizers.Adam(0.05), "mse")
    return model


def test_it_is_what_layers_of_the_user_add():
    model = autoencoder(2.0, keras.regularizers.L2(5.0))
    code = keras.Model(model.input, model.get_layer("code").output)
    expected = 2 * np.mean(np.square(code.predict(X, verbose=0)))
    np.testing.assert_allclose(added_loss(model, X), expected, rtol=1e-5)


def test_penalties_of_activations():
    model = autoencoder(2.0, keras.regularizers.L2(5.0))
    code = keras.Model(model.input, model.get_layer("code").output)
    expected = 5 * np.sum(np.square(code.predict(X, verbose=0))) / len(X)
    np.testing.assert_allclose(activity_penalty(model, X), expected, rtol=1e-5)
    assert activity_penalty(autoencoder(2.0), X) is None


def test_nothing_of_the_model_changes():
    model = autoencoder(2.0)
    before = float(model.evaluate(X, X, verbose=0))
    added_loss(model, X)
    assert not any("add_loss" in vars(layer) for layer in model.layers)
    assert float(model.evaluate(X, X, verbose=0)) == before


def test_models_that_add_nothing():
    plain = keras.Sequential(
        [keras.Input((6,)), L.Dense(2, activity_regularizer="l2"), L.Dense(6)]
    )
    assert added_loss(plain, X) is None
    own = keras.Sequential([keras.Input((6,)), L.Lambda(lambda x: 2 * x)])
    assert added_loss(own, X) is None


def test_a_model_that_had_no_weights_before_its_first_step():
    """What it added at the start is not known, and what it adds at the end is."""
    model, record = autoencoder(2.0), TrainingRecord()
    record.note(model=network_facts(model))
    probe = Probe(X, X, "mse")
    assert probe.look(model, record, 3, 0)
    note_added(probe, model, record)
    known = record.facts.probe
    assert known.added_at_start is None
    assert known.added_at_end == pytest.approx(added_loss(model, X), rel=1e-5)


@pytest.mark.once
@pytest.mark.parametrize(("weight", "named"), [(1e4, True), (1e-3, False)])
def test_a_term_that_leaves_nothing_for_the_others(weight, named):
    line = X[:, :1] * np.ones((1, 6), "float32") + 0.1 * X
    model = autoencoder(weight)
    doctor = kd.callbacks.TrainingDoctor(line, line, verbose=0)
    model.fit(line, line, epochs=40, verbose=0, callbacks=[doctor])
    probe = doctor.record.facts.probe
    assert (probe.added_at_end < 0.1 * probe.added_at_start) == named
    assert ("loss_terms_out_of_balance" in doctor.diagnosis.names) == named


@pytest.mark.parametrize("summed", [True, False])
def test_a_sum_over_rows_is_told_from_a_mean(summed):
    keras.utils.set_random_seed(0)
    inputs = keras.Input((6,))
    layer = Summed() if summed else Divergence(1.0)
    code = layer(L.Dense(2)(inputs))
    model = keras.Model(inputs, L.Dense(6)(code))
    model.compile("adam", "mse")
    doctor = kd.callbacks.TrainingDoctor(X, X, verbose=0)
    model.fit(X, X, batch_size=16, epochs=1, verbose=0, callbacks=[doctor])
    probe = doctor.record.facts.probe
    ratio = 1.0 if summed else 2.0
    assert probe.added_in_halves == pytest.approx(ratio * probe.added_at_end, rel=1e-3)
