"""Losses for which a constant is as good as the targets."""

import keras
import numpy as np
import pytest
from keras import ops
from made_runs import made_run

import keras_dlbasic as kd
from keras_dlbasic.diagnosis import Run
from keras_dlbasic.diagnosis.indifferent_loss import indifferent
from keras_dlbasic.records.probe_facts import TruthFacts

RNG = np.random.default_rng(0)
X = RNG.normal(size=(256, 4)).astype("float32")
Y = (X[:, :1] + 2 * RNG.normal(size=(256, 1)) > -1).astype("float32")


def hinge(y_true, y_pred):
    return ops.mean(ops.maximum(1.0 - y_true * y_pred, 0.0), axis=-1)


@pytest.mark.parametrize(("y", "named"), [(Y, True), (2 * Y - 1, False)])
def test_labels_that_a_hinge_does_not_expect(y, named):
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1, "tanh")])
    model.compile(keras.optimizers.Adam(0.1), hinge)
    doctor = kd.callbacks.TrainingDoctor(X, y, verbose=0)
    model.fit(X, y, epochs=15, batch_size=16, verbose=0, callbacks=[doctor])
    found = {finding.name for finding in doctor.diagnosis}
    assert ("disagreeing_loss" in found) == named


@pytest.mark.parametrize(("spread", "severity"), [(0.01, "warning"), (0.4, "info")])
def test_it_is_a_warning_if_predictions_are_alike(spread, severity):
    run = Run(made_run(spread=spread, targets={"kind": "binary", "std": 0.5}))
    finding = indifferent(run, TruthFacts(truth=0.4, edge=0.4, shuffled=0.6))
    assert finding.severity == severity
    assert "-1 and 1" in finding.remedies[0].reason
