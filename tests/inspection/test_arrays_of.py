"""Structures of inputs as named arrays."""

import keras
import numpy as np
import pytest

import keras_dlbasic as kd
from keras_dlbasic.inspection.collect import arrays_of

X = np.random.default_rng(0).normal(size=(64, 4)).astype("float32")


@pytest.mark.parametrize(
    ("data", "names"),
    [
        (X, ["0"]),
        ([X, X], ["0", "1"]),
        ({"a": X, "b": None}, ["a"]),
        ({"a": {"b": X}, "c": X}, ["a/b", "c"]),
        ({"a": [X, X], "c": X}, ["a/0", "a/1", "c"]),
    ],
)
def test_names(data, names):
    found = arrays_of(data)
    assert [name for name, _ in found] == names
    assert all(array.shape == X.shape for _, array in found)


class Nested(keras.Model):
    def __init__(self):
        super().__init__()
        self.out = keras.layers.Dense(1)

    def call(self, inputs):
        return self.out(inputs["a"]["b"] + inputs["c"])


@pytest.mark.once
def test_a_fit_on_nested_inputs_is_watched():
    model, x = Nested(), {"a": {"b": X}, "c": X}
    model.compile("sgd", "mse")
    doctor = kd.callbacks.TrainingDoctor(x, X[:, :1], verbose=0)
    model.fit(x, X[:, :1], epochs=2, verbose=0, callbacks=[doctor])
    assert [facts.name for facts in doctor.record.facts.inputs] == ["a/b", "c"]
    assert kd.preflight(model, x, X[:, :1]).outcome is not None
