"""What is lost where a model runs with its moving statistics."""

from dataclasses import replace

import numpy as np
import pytest
from made_runs import FROZEN, NORMALIZED, STUCK, in_inference, made_run

import keras_dlbasic as kd

EPOCHS = np.arange(40)
FALLING = np.exp(-EPOCHS / 8) + 0.01
RISING = 0.4 + np.exp(-EPOCHS / 3) + 0.03 * np.maximum(0, EPOCHS - 15)


def found(record, name="normalization_lag"):
    return next((f for f in kd.diagnose(record) if f.name == name), None)


@pytest.mark.parametrize(
    ("judged", "severity"),
    [
        ({"loss": 1.2, "skill": 0.2}, "critical"),
        ({"loss": 0.6, "skill": 0.6}, "warning"),
        ({"loss": 0.8, "skill": 0.88}, "info"),  # right, and less sure
        ({"loss": 0.6}, "warning"),  # nothing else is known
        ({"loss": 0.3, "skill": 0.85}, None),
        ({"loss": 0.1, "skill": 0.95}, None),  # better in inference
    ],
)
def test_severity_is_what_inference_loses(judged, severity):
    finding = found(in_inference(made_run(second=NORMALIZED), **judged))
    assert (finding.severity if finding else None) == severity


def test_it_explains_a_validation_loss_that_rises():
    record = made_run(FALLING, RISING, second=NORMALIZED, end_loss=0.02)
    finding = found(in_inference(record, loss=1.2, skill=0.2), "overfitting")
    assert finding.explained_by[0] == "normalization_lag"


def test_answers_that_are_less_sure_explain_it_too():
    record = made_run(FALLING, RISING, second=NORMALIZED, end_loss=0.02)
    in_inference(record, loss=0.8, skill=0.88)
    assert found(record).severity == "warning"
    assert found(record, "overfitting").explained_by[0] == "normalization_lag"


def test_overfitting_is_not_doubted_where_inference_was_tried():
    record = made_run(FALLING, RISING, second=NORMALIZED, end_loss=0.02)
    record.trained_steps = 20
    assert found(record, "overfitting").severity == "info"
    known = in_inference(record, loss=0.02, skill=0.9)
    assert found(known, "overfitting").severity == "critical"


@pytest.mark.parametrize(
    ("steps", "batch_size", "words"),
    [(100, 32, "momentum"), (5000, 2, "of only 2 rows"), (5000, 32, "averages can")],
)
def test_the_reason_is_named(steps, batch_size, words):
    record = in_inference(made_run(second=NORMALIZED), loss=1.2, skill=0.2)
    record.trained_steps = steps
    record.facts = replace(record.facts, batch_size=batch_size)
    assert words in found(record).message


@pytest.mark.parametrize(("steps", "momentum"), [(100, 0.9), (12, 0.5)])
def test_the_momentum_that_is_advised_follows_in_time(steps, momentum):
    record = in_inference(made_run(second=NORMALIZED), loss=1.2, skill=0.2)
    record.trained_steps = steps
    calls = [remedy.call for remedy in found(record).remedies]
    assert f"model = kd.remedies.change_momentum(model, momentum={momentum})" in calls


def test_a_model_that_learned_nothing_has_nothing_to_lose():
    record = made_run(second=NORMALIZED, **STUCK)
    assert found(in_inference(record, loss=50.0, skill=-1.0)) is None


def test_what_may_be_chance_is_nothing_to_lose():
    record = made_run(second=NORMALIZED, end_loss=1.3, skill=0.2)
    assert found(in_inference(record, loss=1.2, skill=0.1)) is None


def test_without_a_run_in_inference_it_cannot_tell():
    diagnosis = kd.diagnose(made_run(second=NORMALIZED))
    assert "normalization_lag" in diagnosis.skipped


@pytest.mark.parametrize(("variance", "fires"), [(1e-4, True), (0.1, False)])
def test_foreign_statistics_by_their_variance(variance, fires):
    record = in_inference(made_run(second=FROZEN, **STUCK), variance=variance)
    finding = found(record, "foreign_statistics")
    assert (finding is not None) == fires
    if fires:
        assert finding.severity == "critical"  # the run has learned nothing


def test_foreign_statistics_do_no_harm_where_the_run_learns():
    record = in_inference(made_run(second=FROZEN), drift=40.0)
    assert found(record, "foreign_statistics").severity == "info"


@pytest.mark.parametrize(
    ("loss", "skill", "severity"),
    [(0.8, 0.8, "warning"), (0.8, 0.82, "info"), (0.25, 0.8, None)],
)
def test_half_of_the_skill_is_enough_where_the_loss_is_worse_too(loss, skill, severity):
    finding = found(in_inference(made_run(second=NORMALIZED), loss=loss, skill=skill))
    assert (finding.severity if finding else None) == severity
