"""A constant prediction is no measure of a model whose rows have uneven weights."""

import numpy as np
import pytest
from made_batches import weighed, with_batches
from made_runs import made_run

import keras_dlbasic as kd
from keras_dlbasic.diagnosis import Run
from keras_dlbasic.records import WeightFacts

WORSE = {"end_loss": 1.5}


def outcome(record, *by_class):
    return Run(
        with_batches(record, *weighed(*by_class)) if by_class else record
    ).outcome


def test_even_weights_change_nothing():
    plain, even = outcome(made_run(**WORSE)), outcome(made_run(**WORSE), 2, 2, 2, 2)
    assert even.loss_saved == plain.loss_saved < 0


def test_large_weights_of_a_class_leave_the_skill():
    found = outcome(made_run(**WORSE), 1, 1, 1, 9)
    assert (found.baseline, found.loss_saved) == (None, None)
    assert found.skill == pytest.approx(0.9)
    assert found.learned is True


def test_rows_that_do_not_count_leave_nothing():
    assert outcome(made_run(skill=0.0, **WORSE)).learned is False
    found = outcome(made_run(skill=0.0, **WORSE), 1, 1, 0, 0)
    assert not found.is_known
    assert found.learned is None
    assert found.reference is not None


def test_the_reason_is_said():
    record = with_batches(made_run(skill=0.0, **WORSE), *weighed(1, 1, 0, 0))
    diagnosis = kd.diagnose(record)
    assert "different sample weights" in diagnosis.skipped["underfitting"]


@pytest.mark.parametrize(
    ("facts", "is_uneven", "leaves_out"),
    [
        ({}, False, False),
        ({"min": 1.0, "max": 1.2, "zeros": 0.0}, False, False),
        ({"min": 0.1, "max": 1.0, "zeros": 0.0}, True, False),
        ({"min": 0.0, "max": 1.0, "zeros": 0.5}, True, True),
        ({"min": 0.0, "max": 1.0, "zeros": 0.01, "by_class": (1.0, 0.9)}, False, False),
    ],
)
def test_weights_are_uneven(facts, is_uneven, leaves_out):
    weights = WeightFacts(**facts)
    assert (weights.is_uneven, weights.leaves_out) == (is_uneven, leaves_out)


@pytest.mark.parametrize("weights", [(), (2, 2, 2, 2)])
def test_a_weighted_loss_may_fall_on_a_scale_of_its_own(weights):
    record = made_run(loss=np.linspace(0.01, 0.002, 20), skill=0.0, end_loss=1.386)
    record = with_batches(record, *weighed(*weights)) if weights else record
    assert ("plateau" in kd.diagnose(record).names) == (not weights)
