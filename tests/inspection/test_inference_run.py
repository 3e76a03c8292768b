"""A model that is run with the statistics that it has gathered."""

import keras
import numpy as np
import pytest

import keras_dlbasic as kd
from keras_dlbasic.inspection.inference_run import run_inference
from keras_dlbasic.inspection.network_facts import network_facts
from keras_dlbasic.inspection.probe import Probe
from keras_dlbasic.inspection.probe_questions import infer
from keras_dlbasic.inspection.run_facts import run_facts
from keras_dlbasic.records import TrainingRecord

L = keras.layers
RNG = np.random.default_rng(0)
X = RNG.normal(3.0, 2.0, size=(64, 4)).astype("float32")
Y = (X[:, 0] > 3.0).astype("float32")


def normalized(trainable=True):
    model = keras.Sequential(
        [
            keras.Input((4,)),
            L.BatchNormalization(name="norm", trainable=trainable),
            L.Dropout(0.5),
            L.Dense(1, "sigmoid", kernel_initializer="ones"),
        ]
    )
    model.compile("sgd", "binary_crossentropy")
    return model


def arrays(model):
    return [np.array(keras.ops.convert_to_numpy(v)) for v in model.variables]


def inferred(model):
    record = TrainingRecord(facts=run_facts(model, {}))
    record.note(model=network_facts(model, X))
    probe = Probe(X, Y, model.loss)
    probe.look(model, record, 0, -1)
    infer(probe, model, record)
    return record


def test_it_is_what_evaluate_gives():
    model = normalized()
    record = inferred(model)
    evaluated = float(model.evaluate(X, Y, verbose=0))
    inference = record.facts.probe.inference
    np.testing.assert_allclose(inference.loss, evaluated, rtol=1e-4)
    # with the statistics of the rows themselves it is another model
    assert record.tables["probe"]["loss"][-1, 0] < 0.8 * inference.loss


def test_the_drift_of_fresh_statistics():
    (drift,) = inferred(normalized()).facts.probe.inference.drifts
    assert drift.layer == "norm"
    np.testing.assert_allclose(drift.mean, np.sqrt((X.mean(0) ** 2).mean()), rtol=1e-2)
    expected = np.exp(np.log(X.var(0)).mean())
    np.testing.assert_allclose(drift.variance, expected, rtol=1e-3)


def test_frozen_layers_are_measured_too():
    (drift,) = inferred(normalized(trainable=False)).facts.probe.inference.drifts
    assert drift.mean > 2


def test_nothing_of_the_model_changes():
    model = normalized()
    before = arrays(model)
    run_inference(model, X)
    assert "call" not in vars(model.layers[0])
    for old, new in zip(before, arrays(model), strict=True):
        np.testing.assert_array_equal(old, new)


def test_a_model_without_moving_statistics_is_not_run():
    model = keras.Sequential([keras.Input((4,)), L.LayerNormalization(), L.Dense(1)])
    model.compile("sgd", "mse")
    assert run_inference(model, X) is None
    assert inferred(model).facts.probe.inference is None


@pytest.mark.once
@pytest.mark.parametrize(("scale", "named"), [(100.0, True), (1.0, False)])
def test_preflight_warns_of_foreign_statistics(scale, named):
    model = normalized(trainable=False)
    model.layers[0].moving_mean.assign(X.mean(0))
    model.layers[0].moving_variance.assign(X.var(0))
    found = kd.preflight(model, scale * X, Y)
    assert ("foreign_statistics" in found.names) == named
