"""Which of several target columns a model has learned."""

import keras
import numpy as np
import pytest

import keras_dlbasic as kd
from keras_dlbasic.inspection.column_facts import column_facts

ALL = np.arange(120)


def two_columns(noise=0.1, scale=100.0):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(120, 3))
    y = np.stack([scale * np.tanh(x[:, 0]), x[:, 1] + noise * rng.normal(size=120)], 1)
    return x, y


def test_a_small_column_that_is_missed():
    x, y = two_columns()
    found = column_facts(x, y, y * [1, 0], ALL)
    assert [column.skill > 0.9 for column in found] == [True, False]
    assert found[1].reference > 0.9
    assert found[0].reference != found[0].reference
    few = ALL[::3]
    assert column_facts(x, y, (y * [1, 0])[few], few)[1].reference > 0.9


def test_a_small_column_of_noise():
    x, y = two_columns(noise=5.0, scale=1000.0)
    assert column_facts(x, y, y * [1, 0], ALL)[1].reference < 0.3


@pytest.mark.parametrize(
    ("scale", "given"),
    [(100.0, [1.0, 0.9]), (3.0, [1.0, 0.0])],
    ids=["all columns are learned", "scales are alike"],
)
def test_nothing_to_tell(scale, given):
    x, y = two_columns(scale=scale)
    assert column_facts(x, y, y * given, ALL) is None


def test_inputs_to_be_given_back():
    x = np.random.default_rng(0).normal(size=(120, 3)) * [100, 1, 1]
    assert column_facts(x, x, x * [1, 0, 0], ALL) is None


def test_what_cannot_be_scored():
    x, y = two_columns()
    assert column_facts(x, y[:, :1], y[:, :1], ALL) is None
    assert column_facts(x, y, y[:, :1], ALL) is None
    assert column_facts(x, y, y * np.nan, ALL) is None
    assert column_facts(x, y * [1, 0], y * 0, ALL) is None  # a constant column


@pytest.mark.parametrize("scaled", [True, False])
def test_a_fit(scaled):
    x, y = two_columns(scale=300.0)
    x, y = (np.tile(part, (4, 1)).astype("float32") for part in (x, y))
    if scaled:
        y = y / y.std(axis=0)
    keras.utils.set_random_seed(0)
    hidden = keras.layers.Dense(32, "relu")
    model = keras.Sequential([keras.Input((3,)), hidden, keras.layers.Dense(2)])
    model.compile(keras.optimizers.Adam(0.03 if scaled else 0.3), "mse")
    doctor = kd.callbacks.TrainingDoctor(x, y, verbose=0)
    model.fit(x, y, epochs=15, verbose=0, callbacks=[doctor])
    severities = {f.name: f.severity for f in doctor.diagnosis}
    named = severities.get("unscaled_targets") == "warning"
    assert named is not scaled
