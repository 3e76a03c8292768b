"""Dropout that costs more than it is good for, and dropout of the answers."""

import keras
import numpy as np
import pytest
from made_batches import weighed, with_batches
from made_runs import STUCK, edited_facts, found, made_run

import keras_dlbasic as kd
from keras_dlbasic.diagnosis import Run
from keras_dlbasic.diagnosis.dropout_cost import dropout_cost
from keras_dlbasic.inspection.network_facts import network_facts

L = keras.layers
BEHIND = {"out": {"dropout": 0.3}}
FLAT = np.full(20, 1.15)
"""With dropout on; a constant prediction has 1.386."""

HIGH = {"loss": FLAT, "end_loss": 0.9, "skill": 0.3}
"""Much of the little that was learned is lost in training, and predictors are better."""


def test_the_share_that_is_lost_with_dropout_on():
    cost = dropout_cost(Run(made_run(FLAT, end_loss=0.9)))
    # less two standard errors of the loss on the probe
    np.testing.assert_allclose(cost, (1.15 - 0.9 - 0.02) / (np.log(4) - 0.9))


def test_a_loss_that_still_falls_is_no_cost_of_dropout():
    falling = np.linspace(1.4, 0.45, 20)
    assert dropout_cost(Run(made_run(falling, end_loss=0.4))) < 0.01


@pytest.mark.parametrize("run", [{"end_loss": 1.4}, {"end_loss": np.nan}])
def test_without_anything_learned_there_is_no_cost(run):
    assert dropout_cost(Run(made_run(FLAT, **run))) is None


def test_weights_are_in_the_logged_loss_only():
    record = with_batches(made_run(FLAT, end_loss=0.9), *weighed(1.0, 3.0, 1.0, 1.0))
    assert dropout_cost(Run(record)) is None


def test_what_the_model_adds_to_its_loss_is_no_cost_of_dropout():
    record = made_run(FLAT, end_loss=0.9)
    with edited_facts(record) as facts:
        facts["probe"]["added_at_end"] = 0.2
    cost = dropout_cost(Run(record))
    # the table keeps the losses in single precision
    expected = (1.15 - 0.2 - 0.9 - 0.02) / (np.log(4) - 0.9)
    np.testing.assert_allclose(cost, expected, rtol=1e-5)


@pytest.mark.parametrize(
    ("rate", "run", "severity"),
    [
        (0.7, HIGH, "warning"),  # explains that it underfits
        (0.7, {**HIGH, "loss": np.full(20, 0.91)}, None),  # it costs next to nothing
        (0.5, HIGH, None),  # a usual rate
        (0.95, STUCK, "critical"),
        (0.95, {}, "info"),  # it learns all the same
    ],
)
def test_dropout_that_is_too_strong(rate, run, severity):
    record = made_run(second={"dropout": rate}, **run)
    finding = found(record, "regularization_too_strong")
    assert (finding.severity if finding else None) == severity


@pytest.mark.parametrize(
    ("run", "severity"),
    [
        ({"loss": np.full(20, 0.5), "end_loss": 0.2}, "warning"),
        ({"loss": np.full(20, 0.21), "end_loss": 0.2}, "info"),
        (STUCK, "critical"),
    ],
)
def test_dropout_behind_the_output(run, severity):
    record = made_run(**BEHIND, **run)
    assert found(record, "misplaced_dropout").severity == severity


@pytest.mark.once
@pytest.mark.parametrize(("place", "named"), [(1, False), (2, True)])
def test_the_place_is_seen_in_a_model(place, named):
    layers = [L.Dense(8, "relu"), L.Dense(2, "softmax")]
    layers.insert(place, L.Dropout(0.3))
    model = keras.Sequential([keras.Input((4,)), *layers])
    model.compile("sgd", "sparse_categorical_crossentropy")
    record = kd.records.TrainingRecord()
    record.note(model=network_facts(model))
    assert ("misplaced_dropout" in kd.diagnose(record).names) == named
