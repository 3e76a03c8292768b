"""Weights that a constraint holds, and where they would go without it."""

import keras
import numpy as np
import pytest
from made_runs import STUCK, edited_facts, made_run
from made_runs import found as found_in

import keras_dlbasic as kd
from keras_dlbasic.inspection.constraint_facts import constraint_facts

RNG = np.random.default_rng(0)
X = RNG.normal(size=(128, 4)).astype("float32")
Y = (X @ np.array([[-1.0], [-2.0], [0.5], [-1.0]])).astype("float32")


def compiled(constraint, rate=0.01):
    keras.utils.set_random_seed(0)
    layer = keras.layers.Dense(1, kernel_constraint=constraint)
    model = keras.Sequential([keras.Input((4,)), layer])
    model.compile(keras.optimizers.Adam(rate), "mse")
    return model


def test_models_without_constraints_are_not_run():
    assert constraint_facts(compiled(None), X, Y) is None


def test_weights_stay_as_they_are():
    model = compiled(keras.constraints.NonNeg())
    before = [weight.tobytes() for weight in model.get_weights()]
    assert constraint_facts(model, X, Y).kind == "NonNeg"
    assert [weight.tobytes() for weight in model.get_weights()] == before


@pytest.mark.parametrize(
    ("constraint", "rate", "named"),
    [
        (keras.constraints.NonNeg(), 0.02, True),
        (keras.constraints.MaxNorm(0.1), 0.02, True),
        (keras.constraints.MaxNorm(4.0), 0.02, False),
        (keras.constraints.MaxNorm(4.0), 1e-6, False),  # it has hardly begun
    ],
)
def test_constraints_that_keep_a_model_from_learning(constraint, rate, named):
    model = compiled(constraint, rate)
    doctor = kd.callbacks.TrainingDoctor(X, Y, verbose=0)
    model.fit(X, Y, epochs=12, batch_size=16, verbose=0, callbacks=[doctor])
    found = {finding.name for finding in doctor.diagnosis.at_least("warning")}
    assert ("constraint_too_tight" in found) == named
    if named:
        assert doctor.diagnosis.top_level[0].name == "constraint_too_tight"


def test_a_loss_that_rises_as_weights_come_within_their_constraints():
    """Half of the initial weights become 0 in the first step."""
    rng = np.random.default_rng(0)
    x = rng.random((256, 64)).astype("float32") + 1
    keras.utils.set_random_seed(0)
    layer = keras.layers.Dense(1, kernel_constraint="non_neg")
    model = keras.Sequential([keras.Input((64,)), layer])
    model.compile(keras.optimizers.Adam(1e-5), "mse")
    y = x @ layer.get_weights()[0] + 0.01 * rng.normal(size=(256, 1))
    doctor = kd.callbacks.TrainingDoctor(x, y, verbose=0)
    model.fit(x, y, epochs=4, batch_size=32, verbose=0, callbacks=[doctor])
    assert doctor.record.batch_loss[1] > 100 * doctor.record.batch_loss[0]
    found = {finding.name for finding in doctor.diagnosis.at_least("warning")}
    assert "learning_rate_too_high" not in found


@pytest.mark.parametrize(
    ("held", "named"), [(1.3, True), (1.0, False)], ids=["stuck", "under way"]
)
def test_a_run_that_gets_better_with_its_constraints_too(held, named):
    record = made_run(**STUCK)
    with edited_facts(record) as facts:
        facts["network"]["layers"][0]["constraint"] = "MaxNorm"
        known = {"layer": "first", "kind": "MaxNorm", "loss": 1.4, "free": 0.5}
        facts["probe"]["constraint"] = {**known, "held": held}
    assert (found_in(record, "constraint_too_tight") is not None) == named


def test_large_models_are_not_tried(monkeypatch):
    place = "keras_dlbasic.inspection.constraint_facts.MOST_WEIGHTS"
    model = compiled(keras.constraints.NonNeg())
    assert constraint_facts(model, X, Y) is not None
    monkeypatch.setattr(place, 4)  # it has five
    assert constraint_facts(model, X, Y) is None


def test_slow_models_are_given_up(monkeypatch):
    place = "keras_dlbasic.inspection.constraint_facts.MOST_SECONDS"
    monkeypatch.setattr(place, -1.0)
    assert constraint_facts(compiled(keras.constraints.NonNeg()), X, Y) is None
