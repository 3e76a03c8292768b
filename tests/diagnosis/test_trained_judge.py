"""A discriminator that learns along with the generator that it judges."""

import keras
import numpy as np
import pytest
from made_runs import ONE_ANSWER, judged, made_run

import keras_dlbasic as kd
from keras_dlbasic._keras.trained_judge import trained_judge
from keras_dlbasic.inspection.network_facts import network_facts

L = keras.layers
NAME = "discriminator_not_frozen"
FALLEN = np.geomspace(0.7, 1e-3, 20)


def found(record):
    return {f.name: f.severity for f in kd.diagnose(record) if f.rank}


def test_a_judge_that_learns_along_is_the_only_cause():
    fits = {"targets": ONE_ANSWER, "loss": FALLEN, "batch_loss": np.full(60, 0.7)}
    assert found(judged(made_run(ratio=5e-4, **fits))) == {NAME: "critical"}
    fits["loss"] = np.linspace(0.7, 0.3, 20)
    assert found(judged(made_run(ratio=5e-4, **fits))) == {NAME: "warning"}


def test_a_loss_that_may_not_read_the_targets_says_nothing_of_them():
    own = {"loss": {"class_name": "likelihood", "own": True}}
    record = judged(made_run(ratio=5e-4, targets=ONE_ANSWER, facts=own))
    assert NAME not in found(record)


def test_without_a_judge_the_targets_are_the_cause():
    said = found(made_run(targets=ONE_ANSWER))
    assert "constant_targets" in said
    assert NAME not in said
    # classes that differ: an encoder and a head that was compiled before
    assert not found(judged(made_run(ratio=5e-4)))


def gan(*, is_compiled=True, frozen=False, has_generator=True, sequential=False):
    judge = keras.Sequential([keras.Input((2,)), L.Dense(4), L.Dense(1)], name="judge")
    if is_compiled:
        judge.compile("sgd", "mse")
    judge.trainable = not frozen
    made = [L.Dense(2, name="made")] if has_generator else [L.ReLU()]
    if sequential:
        return keras.Sequential([keras.Input((2,)), *made, judge, L.Flatten()])
    noise = keras.Input((2,))
    return keras.Model(noise, L.Reshape((1, 1))(judge(made[0](noise))))


@pytest.mark.parametrize(
    ("given", "label"),
    [
        ({}, "judge"),
        ({"sequential": True}, "judge"),
        ({"is_compiled": False}, None),
        ({"frozen": True}, None),
        ({"has_generator": False}, None),
    ],
)
def test_what_a_trained_judge_is(given, label):
    model = gan(**given)
    assert trained_judge(model, model.outputs[0]) == label
    assert network_facts(model).outputs[0].judge == label


def test_a_plain_model_has_none():
    model = keras.Sequential([keras.Input((2,)), L.Dense(4), L.Dense(1)])
    assert trained_judge(model, model.outputs[0]) is None
