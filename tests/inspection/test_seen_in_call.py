"""Layers that come into being in `call`."""

import sys
from dataclasses import replace

import keras
import numpy as np
import pytest

import keras_dlbasic as kd
from keras_dlbasic._keras.seen_in_call import SeenInCall, seen_in_call

NOTHING = SeenInCall()

L = keras.layers
X = np.random.default_rng(0).normal(size=(256, 4)).astype("float32")
Y = X[:, :1] * X[:, 1:2]


class Net(keras.Model):
    """Makes a hidden layer at every call, in one of several ways."""

    def __init__(self, way="none"):
        super().__init__()
        self.way = way
        if way in ("none", "no weights", "variable"):
            self.hidden = L.Dense(8, "relu")
        self.later = None
        self.out = L.Dense(1)

    def make(self, x):
        return L.Dense(8, "relu")(x)

    def call(self, x):
        if self.way == "call":
            x = L.Dense(8, "relu")(x)
        elif self.way == "method":
            x = self.make(x)
        elif self.way == "nested":
            x = keras.Sequential([L.Dense(8), L.Dense(8)])(x)
        elif self.way == "kept":  # made in the first call, and then kept
            if self.later is None:
                self.later = L.Dense(8, "relu")
            x = self.later(x)
        elif self.way == "variable":
            x = self.hidden(x) * keras.Variable(0.5, name="half")
        elif self.way == "no weights":
            x = L.Dropout(0.1)(L.Activation("relu")(self.hidden(x)))
        else:
            x = self.hidden(x)
        return self.out(x)


def built(way):
    model = Net(way)
    model(X[:2])
    return model


@pytest.mark.parametrize(
    ("way", "place"),
    [
        ("call", "Dense in Net.call (test_seen_in_call.py, line "),
        ("method", "Dense in Net.make (test_seen_in_call.py, line "),
        ("nested", "Sequential in Net.call (test_seen_in_call.py, line "),
    ],
)
def test_layers_made_in_call_are_found(way, place):
    model = built(way)
    before = len(model.weights)
    (found,), variables, _ = seen_in_call(model, X)
    assert found.startswith(place)
    assert variables == ()
    assert len(model.weights) == before
    assert sys.getprofile() is None


def test_variables_in_no_layer_are_told_apart():
    layers, (place,), _ = seen_in_call(built("variable"), X)
    assert layers == ()
    assert place.startswith("Net.call (test_seen_in_call.py, line ")


@pytest.mark.parametrize("way", ["none", "kept", "no weights"])
def test_layers_of_the_model_are_not(way):
    assert seen_in_call(built(way), X) == NOTHING
    inputs = keras.Input((4,))
    assert seen_in_call(keras.Model(inputs, Net(way)(inputs)), X) == NOTHING


def test_frames_of_libraries_are_not_the_place():
    layers = [L.Dense(8), L.Lambda(lambda x: x * keras.Variable(0.5))]
    model = keras.Sequential([keras.Input((4,)), *layers])
    assert seen_in_call(model, X) == NOTHING


def test_a_profiler_of_the_user_goes_on():
    model, seen = built("call"), []

    def profile(frame, event, given):
        seen.append(event)

    sys.setprofile(profile)
    try:
        assert seen_in_call(model, X) == NOTHING
        assert sys.getprofile() is profile
    finally:
        sys.setprofile(None)


@pytest.mark.once
@pytest.mark.parametrize("way", ["call", "none", "no weights"])
def test_the_doctor_names_them(way):
    keras.utils.set_random_seed(0)
    doctor = kd.callbacks.TrainingDoctor(X, Y, verbose=0)
    model = Net(way)
    model.compile("adam", "mse")
    model.fit(X, Y, epochs=12, verbose=0, callbacks=[doctor])
    found = {finding.name: finding for finding in doctor.diagnosis}
    assert ("frozen_layers" in found) is (way == "call")
    if way == "call":
        finding = found["frozen_layers"]
        assert finding.severity == "critical"
        assert finding.evidence["layers"][0].startswith("Dense in Net.call")
        assert "at every call" in finding.message
        assert "__init__" in str(finding.remedies[0])
        assert doctor.diagnosis[0].name == "frozen_layers"


def test_a_variable_may_be_a_constant():
    """Keras itself refuses to make one in most fits, so the record is changed."""
    doctor = kd.callbacks.TrainingDoctor(X, Y, verbose=0)
    model = Net()
    model.compile(keras.optimizers.SGD(1e-6), "mse")
    model.fit(X, Y, epochs=3, verbose=0, callbacks=[doctor])
    record, facts = doctor.record, doctor.record.facts.model
    places = seen_in_call(built("variable"), X).variables
    record.note(model=replace(facts, variables_in_call=places))
    finding = {one.name: one for one in kd.diagnose(record)}["frozen_layers"]
    assert finding.severity == "info"
    assert finding.message.startswith("A variable is created at every call, in Net")
    assert "add_weight" in str(finding.remedies[0])
    made = ("Dense in Net.call (net.py, line 3)",)
    record.note(model=replace(facts, made_in_call=made, variables_in_call=places))
    finding = {one.name: one for one in kd.diagnose(record)}["frozen_layers"]
    assert finding.severity == "critical"
    assert finding.evidence["layers"] == list(made)
