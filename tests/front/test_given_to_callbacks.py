"""What callbacks are given is checked as the fit begins, before the first step."""

import keras
import numpy as np
import pytest
from front.inputs import X, Y

import keras_dlbasic as kd

L = keras.layers
C = kd.callbacks

TAKERS = {
    "TrainingDoctor": lambda x, y: C.TrainingDoctor(x, y, verbose=0),
    "validation_data": lambda x, y: C.TrainingDoctor(validation_data=(x, y), verbose=0),
    "OverfittingDetector": lambda x, y: C.OverfittingDetector(x, y, verbose=0),
    "ActivationMonitor": lambda x, y: C.ActivationMonitor(x),
    "CurvatureProbe": C.CurvatureProbe,
    "GradientNoiseScale": lambda x, y: kd.studies.GradientNoiseScale(
        x, y, small_batch=4, parts=2
    ),
    "WeightAverage": lambda x, y: kd.ensembles.WeightAverage(x=x),
}


def make(width=3):
    layers = [L.Dense(4, "tanh"), L.BatchNormalization(), L.Dense(1, "sigmoid")]
    model = keras.Sequential([keras.Input((width,)), *layers])
    model.compile("sgd", "binary_crossentropy")
    return model


def begin(callback, model):
    """Begin a fit of which no step follows."""
    callback.set_params({"epochs": 2, "steps": 4, "verbose": 0})
    callback.set_model(model)
    callback.on_train_begin()


@pytest.mark.parametrize("taker", TAKERS)
def test_rows_that_do_not_fit_the_model_are_refused(taker):
    take = TAKERS[taker]
    with pytest.raises(ValueError, match=r"shape \(64, 3\), but the model 'seq.*, 2\)"):
        begin(take(X, Y), make(2))
    with pytest.raises(ValueError, match=r"shape \(64, 8, 3\), but the model"):
        begin(take(np.zeros((64, 8, 3)), Y), make())
    begin(take(X, Y), make())  # and the same callback may do in the next fit


@pytest.mark.once
def test_it_is_said_in_fit_and_nothing_is_trained():
    model = make(2)
    before = model.get_weights()
    with pytest.raises(ValueError, match=r"`x` has the shape \(64, 3\)"):
        model.fit(
            X[:, :2], Y, verbose=0, callbacks=[TAKERS["OverfittingDetector"](X, Y)]
        )
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


@pytest.mark.once
@pytest.mark.parametrize("taker", TAKERS)
def test_a_table_is_read_when_the_model_is_known(taker):
    pandas = pytest.importorskip("pandas")
    table = pandas.DataFrame(X, columns=["a", "b", "c"]).assign(name="Ann")
    inputs = [keras.Input((1,), name=name) for name in "ac"]
    hidden = L.BatchNormalization()(L.Concatenate()(inputs))
    model = keras.Model(inputs, L.Dense(1, "sigmoid")(hidden))
    model.compile("sgd", "binary_crossentropy")
    begin(TAKERS[taker](table, Y), model)
    with pytest.raises(ValueError, match="without a column for the input 'c'"):
        begin(TAKERS[taker](table.drop(columns="c"), Y), model)


@pytest.mark.once
def test_a_probe_of_curvature_needs_targets_where_there_is_a_loss():
    with pytest.raises(ValueError, match="`y` is missing: give targets"):
        begin(C.CurvatureProbe(X, None), make())
